using System.Runtime.InteropServices;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

public sealed class AgentFileTests : IDisposable
{
    private readonly Planted planted = new();

    public void Dispose() => planted.Dispose();

    [Fact]
    public void The_agent_of_the_module_comes_before_the_one_in_the_path()
    {
        Directory.CreateDirectory(Path.Combine(planted.Folder, "module/bin"));
        var own = planted.Agent("", "module/bin/beyla");
        planted.Agent("");

        Assert.Equal(own, AgentFile.Find(null, Path.Combine(planted.Folder, "module"), planted.Folder));
    }

    [Fact]
    public void The_path_is_searched_in_its_order_and_relative_entries_do_not_count()
    {
        var there = planted.Agent("");

        Assert.Equal(there, AgentFile.Find(null, "/nonexistent", $".:bin:/nonexistent:{planted.Folder}:/usr/bin"));
    }

    [Theory]
    [InlineData(null, "/usr/nothing")]
    [InlineData("/nonexistent/beyla", "/usr/bin")]
    public void An_agent_that_is_nowhere_is_named(string? asked, string path)
    {
        var error = Assert.Throws<AgentException>(() => AgentFile.Find(asked, "/nonexistent", path));

        Assert.Equal(AgentFault.AgentNotFound, error.Kind);
        Assert.Contains(asked ?? "/nonexistent/bin/beyla", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_execute_permission_says_how_to_get_it()
    {
        var path = planted.Agent("");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var error = Assert.Throws<AgentException>(() => AgentFile.Find(path, "/", ""));

        Assert.Equal(AgentFault.AgentNotExecutable, error.Kind);
        Assert.Contains("chmod +x", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MZ some other kind of program that is long enough")]
    public void A_file_that_is_no_program_is_refused(string content)
    {
        var path = Write(System.Text.Encoding.ASCII.GetBytes(content));

        Assert.Equal(AgentFault.AgentNotExecutable, Assert.Throws<AgentException>(() => AgentFile.Find(path, "/", "")).Kind);
    }

    [Fact]
    public void A_program_for_another_processor_is_refused_by_name()
    {
        var program = File.ReadAllBytes("/proc/self/exe")[..64];
        program[18] = (byte)(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? 62 : 183);
        var error = Assert.Throws<AgentException>(() => AgentFile.Find(Write(program), "/", ""));

        Assert.Equal(AgentFault.AgentWrongArchitecture, error.Kind);
        Assert.Contains(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "X64" : "Arm64", error.Message, StringComparison.Ordinal);
    }

    private string Write(byte[] content)
    {
        var path = planted.Agent("");
        File.WriteAllBytes(path, content);
        return path;
    }
}

using System.Diagnostics;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

public sealed class ConfigurationFileTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string directory = Directory.CreateTempSubdirectory("beyla-config-").FullName;
    private readonly string file;

    public ConfigurationFileTests()
    {
        file = Path.Combine(directory, "beyla.yml");
        File.WriteAllText(file, "open_port: 8080\n");
        File.SetUnixFileMode(file, Private);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_a_file(bool raisedRights) => Assert.Equal("open_port: 8080\n", ConfigurationFile.Read(file, raisedRights));

    [Theory]
    [InlineData("--config")]
    [InlineData("variable")]
    public void Is_named_by_option_or_variable(string by)
    {
        var loaded = ConfigurationLoader.Load(
            CommandLine.Parse(by == "variable" ? [] : ["--config", file], []),
            Loaded.Variables(("BEYLA_CONFIG_PATH", by == "variable" ? file : "/nonexistent")), raisedRights: false);
        Assert.Empty(loaded.Problems);
        Assert.Equal($"{file}:1:12", loaded.Setting("open_port").Origin.ToString());
    }

    [Fact]
    public void A_missing_file_is_a_problem_beside_the_others()
    {
        var loaded = ConfigurationLoader.Load(
            CommandLine.Parse(["--config", directory + "/none.yml"], []), Loaded.Variables(("BEYLA_OPEN_PORT", "x")), false);
        Assert.Equal(2, loaded.Problems.Count);
        Assert.Equal(
            $"the configuration file \"{directory}/none.yml\" cannot be opened: ENOENT (No such file or directory)", loaded.Problems[0]);
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("/dev/zero")]
    [InlineData("fifo")]
    public void Takes_regular_files_only(string kind)
    {
        var path = kind switch { "directory" => directory, "fifo" => directory + "/fifo", _ => kind };
        if (kind == "fifo")
        {
            using var mkfifo = Process.Start("mkfifo", path);
            mkfifo.WaitForExit();
        }

        Assert.EndsWith("is not a regular file", Refused(path, false));
    }

    [Fact]
    public void Bounds_the_size()
    {
        File.WriteAllBytes(file, new byte[ConfigurationFile.MaximumSize + 1]);
        Assert.EndsWith("has 1048577 bytes, at most 1048576 are allowed", Refused(file, false));
    }

    [Fact]
    public void Takes_UTF8_only()
    {
        File.WriteAllBytes(file, [0x61, 0x3a, 0xff]);
        Assert.EndsWith("is not UTF-8 at byte 2", Refused(file, false));
    }

    [Fact]
    public void With_raised_rights_a_file_that_all_may_write_is_refused()
    {
        File.SetUnixFileMode(file, Private | UnixFileMode.OtherWrite);
        Assert.Contains("everybody may write it", Refused(file, true), StringComparison.Ordinal);
        Assert.NotEmpty(ConfigurationFile.Read(file, raisedRights: false));
    }

    [Fact]
    public void With_raised_rights_a_directory_that_all_may_write_is_refused()
    {
        const UnixFileMode Open = Private | UnixFileMode.UserExecute | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(directory, Open | UnixFileMode.StickyBit);
        Assert.Contains($"everybody may write the directory \"{directory}\"", Refused(file, true), StringComparison.Ordinal);
        File.SetUnixFileMode(directory, Open);
        Assert.Contains($"everybody may write the directory \"{directory}\"", Refused(file, true), StringComparison.Ordinal);
    }

    [Fact]
    public void With_raised_rights_a_link_does_not_hide_where_the_file_lies()
    {
        var open = Directory.CreateDirectory(Path.Combine(directory, "open")).FullName;
        File.SetUnixFileMode(open, (UnixFileMode)0x1ff);
        var planted = Path.Combine(open, "planted.yml");
        File.WriteAllText(planted, "open_port: 1");
        File.SetUnixFileMode(planted, Private);
        var link = Path.Combine(directory, "link.yml");
        File.CreateSymbolicLink(link, planted);
        Assert.Contains($"everybody may write the directory \"{open}\"", Refused(link, true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite, "its group")]
    [InlineData(UnixFileMode.OtherWrite, "everybody")]
    [InlineData(UnixFileMode.GroupWrite | UnixFileMode.OtherWrite, "everybody")]
    public void With_raised_rights_a_file_that_others_may_write_is_refused(UnixFileMode others, string who)
    {
        File.SetUnixFileMode(file, Private | others);
        Assert.EndsWith($"{who} may write it; run chmod go-w on it", Refused(file, true));
        Assert.NotEmpty(ConfigurationFile.Read(file, raisedRights: false));
    }

    /// <summary>At each depth, and as the way that a symbolic link takes.</summary>
    [Theory]
    [InlineData(0, UnixFileMode.GroupWrite, "its group")]
    [InlineData(1, UnixFileMode.GroupWrite, "its group")]
    [InlineData(2, UnixFileMode.GroupWrite, "its group")]
    [InlineData(2, UnixFileMode.OtherWrite, "everybody")]
    [InlineData(0, UnixFileMode.GroupWrite | UnixFileMode.StickyBit, "its group")]
    public void With_raised_rights_a_directory_that_others_may_write_is_refused_at_any_depth(int up, UnixFileMode others, string who)
    {
        const UnixFileMode Own = Private | UnixFileMode.UserExecute;
        var deep = Directory.CreateDirectory(Path.Combine(directory, "a", "b", "c"), Own).FullName;
        var below = Path.Combine(deep, "beyla.yml");
        File.WriteAllText(below, "open_port: 1");
        File.SetUnixFileMode(below, Private);
        var link = Path.Combine(directory, "way.yml");
        File.CreateSymbolicLink(link, below);
        Assert.Equal("open_port: 1", ConfigurationFile.Read(below, raisedRights: true));

        var open = Path.GetFullPath(Path.Combine([deep, .. Enumerable.Repeat("..", up)]));
        File.SetUnixFileMode(open, Own | others);
        Assert.Contains($"{who} may write the directory \"{open}\"; move it", Refused(below, true), StringComparison.Ordinal);
        Assert.Contains($"{who} may write the directory \"{open}\"; move it", Refused(link, true), StringComparison.Ordinal);
        Assert.Equal("open_port: 1", ConfigurationFile.Read(below, raisedRights: false));
    }

    [Fact]
    public void With_raised_rights_a_sticky_directory_further_up_is_as_good()
    {
        // As in /tmp: others may make files beside mine, and not touch mine.
        var own = Directory.CreateDirectory(Path.Combine(directory, "own"), Private | UnixFileMode.UserExecute).FullName;
        var inside = Path.Combine(own, "beyla.yml");
        File.WriteAllText(inside, "open_port: 1");
        File.SetUnixFileMode(inside, Private);
        File.SetUnixFileMode(directory, (UnixFileMode)0x1ff | UnixFileMode.StickyBit);
        Assert.Equal("open_port: 1", ConfigurationFile.Read(inside, raisedRights: true));
    }

    private static string Refused(string path, bool raisedRights) =>
        Assert.Throws<ConfigurationException>(() => ConfigurationFile.Read(path, raisedRights)).Message;
}

using Beyla.Agent.Configuration;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>The keeper reads the configuration file and the worker gets its text: both have the same configuration.</summary>
public sealed class HandedOverFileTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("beyla-handed-");

    [Theory]
    [InlineData("open_port: 80\ntrace_printer: json\n")]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("network: {enable: true, cache_max_flows: 7}\nlog_level: DEBUG\nno_such: 1\n", "--set", "network.cache_max_flows=8")]
    [InlineData("open_port: ${HOME}\n")]
    [InlineData("open_port: eighty\n")]
    [InlineData("open_port: [\n")]
    [InlineData("- a list\n")]
    [InlineData("service_name: \u00e4\U0001F600\nopen_port: 80\n", "--trace-printer", "text")]
    [InlineData("discovery: {instrument: [{open_ports: 80-90, name: a}, {exe_path: '*/b', namespace: c}]}\nprobe_typo: 1\n")]
    public void Text_and_file_are_the_same(string yaml, params string[] arguments)
    {
        var path = Path.Combine(directory.FullName, "beyla.yml");
        File.WriteAllText(path, yaml);
        var keeper = ConfigurationLoader.Load(Line(["--config", path, .. arguments]));

        // Through a file in memory, as it goes.
        string? text = null;
        if (keeper.FileText is { } read)
        {
            var memory = MemoryFile.Of(read);
            text = MemoryFile.Take(Descriptor.Duplicate(memory.FileDescriptor));
            memory.Dispose();
            Assert.Equal(yaml, text);
        }

        var worker = ConfigurationLoader.Load(Line(["--config", path, .. arguments]), text);
        Assert.Equal(keeper.Settings.Count, worker.Settings.Count);
        foreach (var (one, other) in keeper.Settings.Zip(worker.Settings))
        {
            Assert.Equal((one.Key.Path, one.Text, one.Node?.ToString()), (other.Key.Path, other.Text, other.Node?.ToString()));
            Assert.Equal(one.Origin.Source, other.Origin.Source);
            Assert.Equal(one.Origin.ToString().Replace(path, "FILE"), other.Origin.ToString().Replace("the configuration file", "FILE"));
        }

        Assert.Equal(Said(keeper.Warnings, path), Said(worker.Warnings, "the configuration file"));
        Assert.Equal(Said(keeper.Problems, path), Said(worker.Problems, "the configuration file"));
        Assert.Equal(keeper.StartProblems, worker.StartProblems);
    }

    [Fact]
    public void Without_a_file_there_is_none_also_where_a_variable_names_one()
    {
        // What the keeper could not read it has refused; the worker never opens a path.
        var worker = ConfigurationLoader.Load(Line(["--config", "/nonexistent/beyla.yml", "--open-port", "80"]), null);
        Assert.Empty(worker.Problems);
        Assert.Equal("80", Assert.Single(worker.Configuration.Selection.Rules).OpenPorts.ToString());
    }

    [Fact]
    public void The_largest_file_goes_through()
    {
        var yaml = "open_port: 80\n#" + new string('x', (1024 * 1024) - 15);
        using var memory = MemoryFile.Of(yaml);
        Assert.Equal(yaml, MemoryFile.Take(Descriptor.Duplicate(memory.FileDescriptor)));
    }

    public void Dispose() => directory.Delete(true);

    private static CommandLine Line(string[] arguments) => CommandLine.Parse(arguments, ["config", "capability"]);

    private static IEnumerable<string> Said(IEnumerable<string> lines, string origin) => lines.Select(line => line.Replace(origin, "FILE"));
}

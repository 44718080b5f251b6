using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>One mistake is one error, whatever follows from it; two are two.</summary>
public sealed class OneCauseTests
{
    [Theory]
    [InlineData("open_port: 80-")]
    [InlineData("open_port: [80")]
    [InlineData("open_port: 80\nopen_port: 81")]
    [InlineData("open_port: {a: 1}")]
    [InlineData("trace_printer: loud\nopen_port: 80")]
    [InlineData("log_level: loud")]
    [InlineData("network: 5")]
    [InlineData("network: {enable: perhaps}")]
    [InlineData("network: {enable: true, print_flows: perhaps}")]
    [InlineData("discovery: {instrument: nginx}")]
    [InlineData("discovery: {instrument: [{open_ports: 80-}]}")]
    [InlineData("discovery: {instrument: [{exe_path: 'a['}]}")]
    [InlineData("discovery: {instrument: [nginx]}")]
    [InlineData("discovery: {services: [{exe_path: '(?=a)'}]}")]
    [InlineData("executable_name: '('")]
    [InlineData("AutoTargetExe: 'a['")]
    [InlineData("target_pids: 0")]
    [InlineData("ebpf: {ring_size: 5000}")]
    [InlineData("ebpf: {ring_size: 5}")]
    [InlineData("- open_port")]
    [InlineData("open_port: *x")]
    [InlineData("open_port: \u0007")]
    public void In_a_file(string yaml) => AssertOne(Loaded.From(yaml));

    [Theory]
    [InlineData("BEYLA_OPEN_PORT", "80-")]
    [InlineData("BEYLA_TARGET_PID", "-1")]
    [InlineData("BEYLA_AUTO_TARGET_EXE", "[")]
    [InlineData("BEYLA_EXECUTABLE_NAME", "(")]
    [InlineData("BEYLA_NETWORK_METRICS", "perhaps")]
    [InlineData("BEYLA_TRACE_PRINTER", "loud")]
    [InlineData("BEYLA_REVERSE_DNS_TYPE", "magic")]
    [InlineData("BEYLA_REVERSE_DNS_CACHE_LEN", "0")]
    [InlineData("BEYLA_REVERSE_DNS_CACHE_TTL", "soon")]
    [InlineData("BEYLA_GEOIP_CACHE_LEN", "many")]
    [InlineData("BEYLA_INSECURE_SKIP_VERIFY", "perhaps")]
    public void In_the_environment_also_where_one_variable_sets_several_settings(string variable, string value) =>
        AssertOne(Loaded.Environment((variable, value)));

    [Fact]
    public void On_the_command_line()
    {
        AssertOne(Loaded.From(arguments: ["--open-port", "80-"]));
        AssertOne(Loaded.From(arguments: ["--set", "discovery.instrument=[{open_ports: 80"]));
        AssertOne(ConfigurationLoader.Load(
            CommandLine.Parse(["--config", "/nonexistent/beyla.yml"], []), Loaded.Variables(), raisedRights: false));
        Assert.Single(Assert.Throws<ConfigurationException>(() => CommandLine.Parse(["--bogus", "value"], ["config"])).Problems);
        Assert.Single(Assert.Throws<ConfigurationException>(() => CommandLine.Parse(["--bogus", "value", "config"], ["config"])).Problems);
        Assert.Single(Assert.Throws<ConfigurationException>(() => CommandLine.Parse(["--open-port"], ["config"])).Problems);
    }

    [Fact]
    public void Two_causes_are_two_errors()
    {
        Assert.Equal(2, Loaded.From("open_port: 80-\ntrace_printer: loud").Problems.Count);
        Assert.Equal(2, Loaded.From("open_port: [80", [("BEYLA_TRACE_PRINTER", "loud")]).Problems.Count);
        Assert.Equal(2, Loaded.Environment(("BEYLA_OPEN_PORT", "80-"), ("BEYLA_REVERSE_DNS_TYPE", "magic")).Problems.Count);
        Assert.Equal(2, Loaded.From("discovery: {instrument: [{open_ports: 80-, exe_path: 'a['}]}").Problems.Count);
        Assert.Equal(
            2, Assert.Throws<ConfigurationException>(() => CommandLine.Parse(["--bogus", "value", "--other"], ["config"])).Problems.Count);
        Assert.Equal(
            2, Assert.Throws<ConfigurationException>(() => CommandLine.Parse(["--bogus=value", "word"], ["config"])).Problems.Count);
        // Valid values with which it cannot start: both uses have nowhere to go.
        Assert.Equal(2, Loaded.Environment(("BEYLA_OPEN_PORT", "80"), ("BEYLA_NETWORK_METRICS", "1")).StartProblems.Count);
    }

    private static void AssertOne(LoadedConfiguration loaded)
    {
        var problem = Assert.Single(loaded.Problems);
        Assert.Empty(loaded.StartProblems);
        Assert.Equal([problem], Assert.Throws<ConfigurationException>(() => loaded.ConfigurationToStart).Problems);
        using var output = new StringWriter();
        using var errors = new StringWriter();
        Assert.Equal(2, ConfigurationReport.Run(loaded, [], output, errors));
        Assert.Equal($"error: {problem}", Assert.Single(
            errors.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries),
            static line => !line.StartsWith("warning: ", StringComparison.Ordinal)));
    }
}

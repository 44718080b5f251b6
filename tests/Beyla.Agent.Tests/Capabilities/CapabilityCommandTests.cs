using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class CapabilityCommandTests
{
    [Theory]
    [InlineData("", "say what to do")]
    [InlineData("tets", "'tets' is not one of test, set, clear, export")]
    [InlineData("test --verbose", "'--verbose' is unknown")]
    [InlineData("test --scenario web", "not one of network, network-tc, application, application-propagation")]
    [InlineData("test --scenario", "--scenario: a value is missing")]
    [InlineData("set --capability cap_bpf,cap_chown", "--capability cap_chown: no configuration uses it")]
    [InlineData("test", "nothing is asked for")]
    [InlineData("export --scenario network", "--format is missing")]
    [InlineData("export --scenario network --format=helm", "--format helm: not one of systemd, kubernetes, docker")]
    [InlineData("export --scenario network --format=systemd --file ./beyla", "--file ./beyla: the path on the target is absolute")]
    [InlineData("export --scenario network --format=systemd --file /x\nUser=root", "take no control characters")]
    [InlineData("export --scenario network --format=kubernetes --image x\n#", "take no control characters")]
    [InlineData("test --scenario \u001b[31m", "--scenario \\x1b[31m: not one of")]
    public void Bad_usage_is_named(string arguments, string expected)
    {
        var (code, output, error) = Run(arguments);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Test_answers_in_json_with_the_exit_code_of_the_verdict()
    {
        var (code, output, _) = Run("test --json", new CapabilityRequest(Feature.Application));
        var report = CapabilityJson.Read(output);
        Assert.Equal(["application"], report.Configuration);
        Assert.Equal(report.NeededPresent ? 0 : 3, code);
        Assert.Equal(9, report.Requirements.Count);
    }

    [Fact]
    public void Export_writes_the_minimal_set_on_request()
    {
        var (code, output, _) = Run("export --scenario=network-tc --format docker --minimal");
        Assert.Equal(0, code);
        Assert.Contains("--cap-add NET_ADMIN --cap-add BPF \\", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_of_coreclr_is_never_the_agent()
    {
        var (code, _, error) = Run("set --scenario network");
        Assert.Equal(1, code);
        Assert.Contains("not the agent's own binary", error, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(string arguments, CapabilityRequest request = default)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = CapabilityCommand.Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), () => request, output, error);
        return (code, output.ToString(), error.ToString());
    }
}

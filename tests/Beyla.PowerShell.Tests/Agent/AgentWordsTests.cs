using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

/// <summary>What the agent says reaches the user in the terms of the cmdlets, and only what concerns the user is a warning.</summary>
public sealed class AgentWordsTests : IDisposable
{
    private const string List =
        """echo 'time=1 level=WARN msg="Required system capabilities not present, Beyla may malfunction" """
        + """error="the following capabilities are required: CAP_NET_RAW, CAP_PERFMON"' >&2; """;

    private readonly Planted planted = new();

    public void Dispose() => planted.Dispose();

    [Theory]
    [InlineData("open_port = \"x\" (environment BEYLA_OPEN_PORT): bad", "open_port = \"x\" (-OpenPort): bad")]
    [InlineData("BEYLA_NETWORK_INTERFACES and BEYLA_OPEN_PORT.", "-Interface and -OpenPort.")]
    [InlineData("BEYLA_TARGET_PID and BEYLA_OPEN_PORTS", "BEYLA_TARGET_PID and BEYLA_OPEN_PORTS")] // not set by the module; another name
    [InlineData("environment BEYLA_AUTO_TARGET_EXE", "environment BEYLA_AUTO_TARGET_EXE")] // set to nothing
    public void A_variable_that_the_module_set_is_called_by_its_parameter(string said, string shown)
    {
        var command = new AgentCommand("/opt/beyla").With("BEYLA_OPEN_PORT", "x")
            .With("BEYLA_NETWORK_INTERFACES", "lo").With("BEYLA_AUTO_TARGET_EXE", "");
        Assert.Equal(shown, AgentWords.InParameters(said, command));
    }

    [Fact]
    public void The_error_of_a_wrong_parameter_names_the_parameter_and_comes_once()
    {
        var command = planted.Command(
            """echo 'time=1 level=ERROR msg="Wrong configuration" error="open_port = 80- (environment BEYLA_OPEN_PORT): bad"' >&2; """
                + "exit 2").With("BEYLA_OPEN_PORT", "80-");
        var kept = new Kept();
        var error = Assert.Throws<AgentException>(
            () => new AgentRun(command, new RunLimits(typeof(Span)), kept).Run(CancellationToken.None));

        Assert.Equal("The agent refused its configuration: Wrong configuration: open_port = 80- (-OpenPort): bad", error.Message);
        Assert.DoesNotContain("BEYLA_", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(kept.Problems);
    }

    [Fact]
    public void Missing_capabilities_that_are_not_needed_are_told_at_verbose_level_once()
    {
        var kept = Run(List + """
            echo 'time=1 level=INFO msg="CAP_NET_RAW is missing" consequence="nothing is lost" fix="sudo setcap x"' >&2
            echo 'time=1 level=INFO msg="CAP_PERFMON is missing" consequence="nothing is lost" fix="sudo setcap x"' >&2
            echo 'time=1 level=INFO msg="Beyla is tracing" processes=1' >&2
            header; exit 0
            """);

        Assert.Empty(kept.Warnings);
        Assert.Single(kept.Verboses, v => v.Contains("capabilities are required: CAP_NET_RAW, CAP_PERFMON", StringComparison.Ordinal));
    }

    [Fact]
    public void Missing_capabilities_of_which_one_is_needed_are_a_warning_before_what_follows_from_it()
    {
        var kept = Run(List + """
            echo 'time=1 level=INFO msg="CAP_NET_RAW is missing" consequence="nothing is lost" fix="sudo setcap x"' >&2
            echo 'time=1 level=WARN msg="CAP_PERFMON is missing" consequence="no spans" fix="sudo setcap x"' >&2
            header; exit 0
            """);

        Assert.Equal(
            [
                "Required system capabilities not present, Beyla may malfunction: the following "
                    + "capabilities are required: CAP_NET_RAW, CAP_PERFMON",
                "CAP_PERFMON is missing: no spans", "Remedy: sudo setcap x",
            ],
            kept.Warnings);
    }

    [Fact]
    public void A_list_at_the_very_end_of_the_log_is_not_lost()
    {
        var kept = Run("header; " + List + "exit 0");

        Assert.Empty(kept.Warnings);
        Assert.Single(kept.Verboses, v => v.Contains("CAP_NET_RAW, CAP_PERFMON", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("BEYLA_NETWORK_METRICS=0", "Set-BeylaCapability -Add with the same parameters, as root")]
    [InlineData("BEYLA_NETWORK_METRICS=1", "Set-BeylaCapability -Network -Add, as root")]
    [InlineData("BEYLA_NETWORK_METRICS=1 BEYLA_NETWORK_SOURCE=tc", "Set-BeylaCapability -Network -Source TrafficControl -Add, as root")]
    public void The_remedy_names_the_cmdlet_as_it_is_to_be_called(string settings, string remedy)
    {
        var command = planted.Command(
            """echo 'time=1 level=ERROR msg="no" error="the following capabilities are required: CAP_BPF"' >&2; exit 3""");
        foreach (var setting in settings.Split(' '))
        {
            command.With(setting.Split('=')[0], setting.Split('=')[1]);
        }

        var error = Assert.Throws<AgentException>(
            () => new AgentRun(command, new RunLimits(typeof(Flow)), new Kept()).Run(CancellationToken.None));

        Assert.Contains(remedy + ".", error.RecommendedAction, StringComparison.Ordinal);
    }

    private Kept Run(string body)
    {
        var kept = new Kept();
        new AgentRun(planted.Command(body), new RunLimits(typeof(Span)), kept).Run(CancellationToken.None);
        return kept;
    }
}

using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

/// <summary>Every way in which an agent can fail has an error of its own, bounded and clear.</summary>
public sealed class AgentFaultTests : IDisposable
{
    private readonly Planted planted = new();

    public void Dispose() => planted.Dispose();

    [Theory]
    [InlineData("exit 0", AgentFault.StreamInvalid, "ended without a stream")]
    [InlineData("echo hello; stay", AgentFault.StreamInvalid, "Line 1")]
    [InlineData("head -c 3000000 /dev/urandom | tr -d '\\n'; echo; stay", AgentFault.StreamInvalid, "Line 1")]
    [InlineData("""printf '{"type":"stream","version":99,"agent":"9"}\n'; stay""", AgentFault.StreamVersionNotSupported, "version 99")]
    [InlineData("header; kill -9 $$", AgentFault.AgentDied, "SIGKILL")]
    [InlineData("header; kill -11 $$", AgentFault.AgentDied, "SIGSEGV")]
    [InlineData("""header; echo 'time=1 level=ERROR msg="Writing failed" error="disk on fire"' >&2; exit 1""",
        AgentFault.AgentFailed, "disk on fire")]
    [InlineData("""echo 'time=1 level=ERROR msg="Wrong configuration" error="open_port: x"' >&2; exit 2""",
        AgentFault.ConfigurationInvalid, "open_port: x")]
    [InlineData("""echo 'time=1 level=ERROR msg="no" error="the following capabilities are required: CAP_BPF"' >&2; exit 3""",
        AgentFault.CapabilityMissing, "CAP_BPF")]
    [InlineData("echo 'setsid: failed to execute: Operation not permitted' >&2; exit 126",
        AgentFault.AgentNotStarted, "Operation not permitted")]
    [InlineData("header; exec 1>&-; stay", AgentFault.AgentDied, "closed its output")]
    public void A_failing_agent_ends_the_run_with_its_error(string body, AgentFault kind, string part)
    {
        var kept = new Kept();
        var error = Assert.Throws<AgentException>(
            () => new AgentRun(planted.Command(body), new RunLimits(typeof(Span)), kept).Run(CancellationToken.None));

        Assert.Equal(kind, error.Kind);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 10, 1000);
        Assert.NotEmpty(error.RecommendedAction);
        Assert.NotNull(error.Target);
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.Empty(kept.Problems);
        Assert.Equal(0, LiveAgents.Count);
    }

    [Fact]
    public void An_agent_that_the_kernel_refuses_for_want_of_capabilities_says_so_with_the_remedy()
    {
        var error = Assert.Throws<AgentException>(() => Run("""
            header
            echo 'time=1 level=WARN msg="Required" error="the following capabilities are required: CAP_BPF"' >&2
            echo 'time=1 level=WARN msg="CAP_BPF is missing" fix="sudo setcap cap_bpf=p /opt/beyla"' >&2
            echo 'time=1 level=ERROR msg="Application observability did not start" error="load: EPERM (Operation not permitted)"' >&2
            exit 1
            """));

        Assert.Equal(AgentFault.CapabilityMissing, error.Kind);
        Assert.Contains("required: CAP_BPF. Application observability did not start", error.Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "Run: sudo setcap cap_bpf=p /opt/beyla, or Set-BeylaCapability", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_silent_agent_is_given_up()
    {
        var error = Assert.Throws<AgentException>(() =>
            new AgentRun(planted.Command("stay"), new RunLimits(typeof(Span)), new Kept(), TimeSpan.FromSeconds(0.5))
                .Run(CancellationToken.None));

        Assert.Equal(AgentFault.AgentSilent, error.Kind);
    }

    [Fact]
    public void A_bad_line_is_an_error_of_its_own_and_the_others_are_read()
    {
        var kept = Run("""header; span 1; echo '{"type":"span","kind":'; span 2; echo nonsense; span 3; exit 0""");

        Assert.Equal(3, kept.Values.Count);
        Assert.Equal([AgentFault.StreamLineInvalid, AgentFault.StreamLineInvalid], kept.Problems.Select(p => p.Kind));
        Assert.Contains("Line 3", kept.Problems[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hundred_bad_lines_are_enough()
    {
        var error = Assert.Throws<AgentException>(() => Run("header; while :; do echo x; done"));

        Assert.Equal(AgentFault.StreamInvalid, error.Kind);
        Assert.Contains("100 bad lines", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_that_the_end_cuts_is_an_error()
    {
        var kept = Run("""header; span 1; printf '{"type":"span","ki'; exit 0""");

        Assert.Single(kept.Values);
        Assert.Equal(AgentFault.StreamLineInvalid, Assert.Single(kept.Problems).Kind);
    }

    [Fact]
    public void A_line_of_a_hundred_megabytes_is_left_out()
    {
        // In how little memory is asked of AgentStream, on its own thread, and of a shell of its own in Trace.Tests.ps1.
        var kept = new Kept();
        new AgentRun(planted.Command("header; span 1; head -c 104857600 /dev/zero | tr '\\0' x; echo; span 2; exit 0"),
            new RunLimits(typeof(Span)), kept).Run(CancellationToken.None);

        Assert.Equal(["/1", "/2"], kept.Values.Cast<Span>().Select(s => s.Path));
        var problem = Assert.Single(kept.Problems);
        Assert.Equal(AgentFault.StreamLineTooLong, problem.Kind);
        Assert.InRange(problem.Message.Length, 10, 500);
    }

    [Fact]
    public void A_log_without_end_stays_bounded()
    {
        var kept = Run(
            "header; head -c 20000000 /dev/zero | tr '\\0' y >&2; yes 'time=1 level=INFO msg=again' | head -n 50000 >&2; span 1; exit 0");

        Assert.Single(kept.Values);
        Assert.True(kept.Verboses.Count <= 50_003);
        Assert.All(kept.Verboses, v => Assert.InRange(v.Length, 0, 20_000));
    }

    [Fact]
    public void An_error_of_a_running_agent_does_not_end_the_run()
    {
        var kept = Run("""header; echo 'time=1 level=ERROR msg="interface gone" error="ENODEV"' >&2; sleep 1; span 1; exit 0""");

        Assert.Single(kept.Values);
        var problem = Assert.Single(kept.Problems);
        Assert.Equal(AgentFault.AgentError, problem.Kind);
        Assert.Equal("interface gone: ENODEV", problem.Message);
    }

    [Fact]
    public void A_failure_on_a_kernel_without_type_information_names_that()
    {
        Assert.Contains("type information", HostKernel.Lacks(new Version(6, 1), "/nonexistent/vmlinux"), StringComparison.Ordinal);
        Assert.Contains("5.4", HostKernel.Lacks(new Version(5, 4), "/"), StringComparison.Ordinal);
        Assert.Null(HostKernel.Lacks(new Version(5, 8), "/proc/self/stat"));
    }

    private Kept Run(string body)
    {
        var kept = new Kept();
        new AgentRun(planted.Command(body), new RunLimits(typeof(Span)), kept).Run(CancellationToken.None);
        return kept;
    }
}

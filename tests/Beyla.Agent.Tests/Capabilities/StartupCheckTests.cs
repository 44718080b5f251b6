using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class StartupCheckTests
{
    private static readonly CapabilityRequest Application = new(Feature.Application);
    private static readonly Version Kernel = new(6, 12);

    [Fact]
    public void The_warning_is_the_documented_one()
    {
        var held = CapabilitySet.Of(Capability.Perfmon, Capability.NetRaw, Capability.SysPtrace);
        Assert.True(StartupCheck.MayStart(Report(held), enforce: false, out var lines));
        Assert.Equal(CheckSeverity.Warning, lines[0].Severity);
        Assert.Equal("Required system capabilities not present, Beyla may malfunction", lines[0].Message);
        Assert.Equal(
            [("error", "the following capabilities are required: CAP_DAC_READ_SEARCH, CAP_BPF, CAP_CHECKPOINT_RESTORE")], lines[0].Fields);
    }

    [Fact]
    public void Consequences_follow_and_tell_needed_from_listed()
    {
        StartupCheck.MayStart(Report(CapabilitySet.None), enforce: false, out var lines);
        Assert.Equal(
            [
                "Warning CAP_DAC_READ_SEARCH is missing", "Info CAP_NET_RAW is missing", "Warning CAP_SYS_PTRACE is missing",
                "Warning CAP_PERFMON is missing", "Warning CAP_BPF is missing", "Info CAP_CHECKPOINT_RESTORE is missing",
            ],
            lines.Skip(1).Select(line => $"{line.Severity} {line.Message}"));
        Assert.Contains("OTEL_SERVICE_NAME", lines[1].Fields.Single(field => field.Name == "consequence").Value, StringComparison.Ordinal);
        Assert.Contains("nothing is lost", lines[2].Fields.Single(field => field.Name == "consequence").Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Enforcement_refuses_and_names_the_same()
    {
        Assert.False(StartupCheck.MayStart(Report(CapabilitySet.Of(Capability.Bpf)), enforce: true, out var lines));
        Assert.Equal(CheckSeverity.Error, lines[0].Severity);
        Assert.Equal(
            "the following capabilities are required: CAP_DAC_READ_SEARCH, CAP_NET_RAW, CAP_SYS_PTRACE, CAP_PERFMON, "
                + "CAP_CHECKPOINT_RESTORE",
            lines[0].Fields[0].Value);
        Assert.Equal(3, StartupCheck.ExitCode);
    }

    [Fact]
    public void With_everything_listed_there_is_nothing_to_say()
    {
        Assert.True(StartupCheck.MayStart(Report(CapabilityCheck.Documented(Application, Kernel)), enforce: true, out var lines));
        Assert.Empty(lines);
    }

    [Theory]
    [InlineData(Feature.Application, "CAP_NET_RAW, CAP_CHECKPOINT_RESTORE")]
    [InlineData(Feature.Application | Feature.ContextPropagation, "CAP_NET_RAW, CAP_CHECKPOINT_RESTORE")]
    public void A_minimal_set_is_told_once_at_level_debug(Feature features, string listed)
    {
        var request = new CapabilityRequest(features);
        Assert.True(Start(request, CapabilityCheck.Needed(request, Kernel), out var lines));
        var line = Assert.Single(lines);
        Assert.Equal(CheckSeverity.Debug, line.Severity);
        Assert.Equal([("capabilities", listed)], line.Fields);

        // The documented list stays what is enforced.
        Assert.False(Start(request with { Enforce = true }, CapabilityCheck.Needed(request, Kernel), out lines));
        Assert.Equal($"the following capabilities are required: {listed}", lines[0].Fields[0].Value);
    }

    [Fact]
    public void One_file_that_serves_both_uses_minimally_is_minimal_for_each()
    {
        var flows = new CapabilityRequest(Feature.NetworkSocketFilter);
        var both = CapabilityCheck.Needed(Application, Kernel) | CapabilityCheck.Needed(flows, Kernel);
        Assert.True(Start(Application, both, out var lines));
        Assert.Equal(CheckSeverity.Debug, Assert.Single(lines).Severity);
        Assert.True(Start(flows, both, out lines));
        Assert.Empty(lines);
    }

    [Fact]
    public void Without_a_needed_one_or_with_one_that_nothing_needs_it_is_not_minimal()
    {
        var needed = CapabilityCheck.Needed(Application, Kernel);
        foreach (var capability in needed)
        {
            Start(Application, needed.Except(CapabilitySet.Of(capability)), out var lines);
            Assert.Equal(CheckSeverity.Warning, lines[0].Severity);
        }

        Start(Application, needed.With(Capability.CheckpointRestore), out var listed);
        Assert.Equal([("error", "the following capabilities are required: CAP_NET_RAW")], listed[0].Fields);
        Assert.Equal(CheckSeverity.Warning, listed[0].Severity);
    }

    [Fact]
    public void What_adds_something_is_still_said_of_a_minimal_set()
    {
        Start(new CapabilityRequest(Feature.NetworkSocketFilter), CapabilitySet.Of(Capability.Bpf, Capability.NetRaw), out var lines);
        Assert.Equal(
            ["Info CAP_DAC_READ_SEARCH is missing", "Info CAP_SYS_PTRACE is missing", "Info CAP_PERFMON is missing"],
            lines.Select(line => $"{line.Severity} {line.Message}"));
    }

    private static bool Start(CapabilityRequest request, CapabilitySet held, out IReadOnlyList<CheckLine> lines)
    {
        var facts = CapabilityCheckTests.Facts(held, Kernel);
        return StartupCheck.MayStart(
            CapabilityCheck.Evaluate(request, facts), request.Enforce, out lines, minimal: CapabilityCheck.IsMinimal(request, facts));
    }

    [Fact]
    public void A_host_setting_in_the_way_is_said()
    {
        var facts = CapabilityCheckTests.Facts(CapabilityCheck.Documented(Application, Kernel), Kernel)
            with { Lockdown = "confidentiality" };
        Assert.True(StartupCheck.MayStart(CapabilityCheck.Evaluate(Application, facts), enforce: true, out var lines));
        Assert.Equal("lockdown stands in the way", Assert.Single(lines).Message);
    }

    private static CapabilityReport Report(CapabilitySet held) =>
        CapabilityCheck.Evaluate(Application, CapabilityCheckTests.Facts(held, Kernel));
}

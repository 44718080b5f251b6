namespace Beyla.Agent.Configuration;

/// <summary>
/// Every setting, in two lines: <c>key|variables|type|default</c>, and below it, indented, what it does in one sentence. A key that
/// starts with <c>+</c> has an effect in this agent; the others are settings of the peer (version 3) that are recognised, checked and
/// reported as not built. Types: see <see cref="SettingType"/>; <c>one a b</c> is a choice, <c>int 1..9</c> has limits,
/// <c>duration >0</c> is not zero. The other parts of this class hold one group of sections each.
/// Own settings of this agent: <c>ebpf.socket_source</c>, <c>ebpf.ring_size</c>, <c>ebpf.poll_interval</c>, <c>exit_with_parent</c>,
/// <c>network.require_process</c>.
/// </summary>
internal static partial class KeyTable
{
    /// <summary>The sections, in the order of docs/configuration.md.</summary>
    public static IReadOnlyList<KeySection> Sections { get; } =
    [
        new("Selecting processes", SelectingProcesses),
        new("Printing spans", PrintingSpans),
        new("Logs", Logs),
        new("The agent", TheAgent),
        new("Capture in the kernel", CaptureInTheKernel),
        new("Network flows", NetworkFlows),
        new("TCP statistics", TcpStatistics),
        new("Attributes", Attributes),
        new("Filters", Filters),
        new("Routes", Routes),
        new("Names of other hosts", NamesOfOtherHosts),
        new("OpenTelemetry traces", OpenTelemetryTraces),
        new("OpenTelemetry metrics", OpenTelemetryMetrics),
        new("Prometheus", Prometheus),
        new("Metrics", Metrics),
        new("Grafana Cloud", GrafanaCloud),
        new("Runtimes of languages", RuntimesOfLanguages),
        new("Injector", Injector),
    ];
}

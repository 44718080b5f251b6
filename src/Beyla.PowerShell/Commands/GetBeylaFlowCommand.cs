using System.Management.Automation;
using System.Net;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Completion;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Commands;

/// <summary>Shows who talks to whom on this host: network conversations as flows.</summary>
/// <remarks>
/// <para>Observes the network for some seconds. Then emits one flow for each direction of each conversation that sent something in
/// that time, with its bytes, its packets and, if the agent may see it, the local process. With -Follow, flows are emitted each time
/// they are reported, until the command is stopped.</para>
/// <para>The agent counts packets in the kernel and copies none. It needs CAP_BPF and CAP_NET_RAW, or with -Source TrafficControl
/// CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON; see Test-BeylaCapability. The loopback interface is left out unless it is named with
/// -Interface lo.</para>
/// <para>The agent applies -Protocol, -Interface, -Direction, -Source and -ResolveName. The module applies -Port, -Cidr and -Id before
/// flows go to the pipeline.</para>
/// <para>To show the process of a flow, the agent needs CAP_PERFMON too. Without it, a warning says that flows name no process; with
/// -Id, the command fails and names the capability.</para>
/// </remarks>
/// <example>
/// <title>Who talks to the database</title>
/// <code>Get-BeylaFlow | Where-Object RemotePort -eq 5432 | Sort-Object Bytes -Descending | Select-Object -First 10</code>
/// <para>Observes for five seconds and shows the ten largest flows between this host and PostgreSQL servers.</para>
/// </example>
/// <example>
/// <title>Watch one program</title>
/// <code>Get-BeylaFlow -Follow | Where-Object ProcessName -eq nginx</code>
/// <para>Shows the flows of nginx as they are reported, until Ctrl+C.</para>
/// </example>
/// <example>
/// <title>Bytes by process</title>
/// <code>
/// Get-BeylaFlow -Interface lo, eth0 -Duration 30s |
///     Group-Object ProcessName |
///     Select-Object Name, @{ n = 'Bytes'; e = { ($_.Group | Measure-Object Bytes -Sum).Sum } }
/// </code>
/// <para>Adds up what each program sent and received within half a minute, on two interfaces.</para>
/// </example>
[Cmdlet(VerbsCommon.Get, "BeylaFlow", DefaultParameterSetName = ByConfiguration, HelpUri = Pages)]
[OutputType(typeof(Flow))]
public sealed class GetBeylaFlowCommand : ConfiguredCmdlet
{
    // Variables that would make the agent trace applications too.
    private static readonly string[] ApplicationVariables =
        ["BEYLA_OPEN_PORT", "BEYLA_AUTO_TARGET_EXE", "BEYLA_EXECUTABLE_NAME", "BEYLA_TARGET_PID", "BEYLA_AUTO_TARGET_LANGUAGE"];

    // Any of them may say which interfaces are observed.
    private static readonly string[] InterfaceVariables =
    [
        "BEYLA_NETWORK_INTERFACES", "BEYLA_NETWORK_EXCLUDE_INTERFACES", "BEYLA_CONFIG_PATH", "OTEL_EBPF_NETWORK_INTERFACES",
        "OTEL_EBPF_NETWORK_EXCLUDE_INTERFACES",
        "OTEL_EBPF_CONFIG_PATH",
    ];

    private static readonly TimeSpan DefaultDuration = TimeSpan.FromSeconds(5), FollowInterval = TimeSpan.FromSeconds(1);

    private readonly HashSet<int> ids = [];

    /// <summary>How long to observe: 0:0:30, 30s, 5m. Default: five seconds; with -Follow, until it is stopped.</summary>
    [Parameter]
    [DurationTransformation]
    [ArgumentCompleter(typeof(DurationCompleter))]
    public TimeSpan? Duration { get; set; }

    /// <summary>Emits flows each time they are reported, until the command is stopped.</summary>
    [Parameter]
    public SwitchParameter Follow { get; set; }

    /// <summary>With -Follow: how often a flow that continues is reported. Default: every second.</summary>
    [Parameter]
    [DurationTransformation]
    [ArgumentCompleter(typeof(DurationCompleter))]
    public TimeSpan? Interval { get; set; }

    /// <summary>Ends after this number of flows.</summary>
    [Parameter]
    [Alias("MaxCount", "MaxEvents")]
    [ArgumentCompleter(typeof(CountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long? MaximumCount { get; set; }

    /// <summary>How packets are observed: by a filter on a packet socket, or by traffic control.</summary>
    [Parameter]
    public FlowSource? Source { get; set; }

    /// <summary>Interfaces to observe, by name, with wildcards (eth*) or as /regular expression/. Default: all except lo.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(InterfaceCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Interface { get; set; }

    /// <summary>Protocols to observe. Default: all.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public Transport[]? Protocol { get; set; }

    /// <summary>Ports and port ranges: flows with one of these ports at either end.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ListeningPortCompleter))]
    [ValidateNotNullOrEmpty]
    public PortRange[]? Port { get; set; }

    /// <summary>Direction of the packets through the interface. Default: both.</summary>
    [Parameter]
    public InterfaceDirection? Direction { get; set; }

    /// <summary>
    /// Blocks of addresses: flows with at least one end in one of them. The flows have the narrowest matching block as SourceNetwork
    /// and DestinationNetwork.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(NetworkCompleter))]
    [ValidateNotNullOrEmpty]
    public IPNetwork[]? Cidr { get; set; }

    /// <summary>Ids of processes that own the socket. The output of Get-Process can be piped in.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("ProcessId", "PID", "OwningProcess")]
    [ArgumentCompleter(typeof(ProcessCompleter))]
    public int[]? Id { get; set; }

    /// <summary>Looks up the names of addresses with this host's resolver.</summary>
    [Parameter]
    public SwitchParameter ResolveName { get; set; }

    /// <summary>
    /// If a capability is missing, fails before anything is loaded. Without this parameter, the agent warns and does what is possible.
    /// </summary>
    [Parameter]
    public SwitchParameter EnforceCapability { get; set; }

    /// <summary>Observes in the background, as a job whose results are the flows.</summary>
    [Parameter]
    public SwitchParameter AsJob { get; set; }

    /// <summary>Collects the process ids that come through the pipeline.</summary>
    protected override void ProcessRecord() => Guard(() => Collect(ids, Id));

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        if (CameWithNothing(ids.Count))
        {
            return;
        }

        WarnOfAbsent(ids);
        var interval = Interval ?? (Follow ? FollowInterval : (TimeSpan?)null);
        var command = Command()
            .With("BEYLA_TRACE_PRINTER", "json")
            .With("BEYLA_NETWORK_METRICS", "1")
            .With("BEYLA_NETWORK_SOURCE", Source is { } source ? Scenarios.Name(source) : null)
            .With("BEYLA_NETWORK_INTERFACES", Join(Interface?.Select(InterfaceNames.ToPattern)))
            .With("BEYLA_NETWORK_PROTOCOLS", Join(Protocol?.Select(p => p.ToString().ToUpperInvariant())))
            .With("BEYLA_NETWORK_DIRECTION", Direction?.ToString().ToLowerInvariant())
            .With("BEYLA_NETWORK_CIDRS", Join(Cidr))
            .With("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", interval is { } pause ? AgentCommand.Duration(pause) : null)
            .With("BEYLA_REVERSE_DNS_TYPE", ResolveName ? "local" : null)
            .With("BEYLA_NETWORK_REQUIRE_PROCESS", ids.Count > 0 ? "1" : null)
            .With("BEYLA_ENFORCE_SYS_CAPS", EnforceCapability ? "1" : null)
            .With("BEYLA_LOG_LEVEL", LogLevelText)
            .KeepOutput();
        foreach (var variable in ApplicationVariables.Where(v => Environment.GetEnvironmentVariable(v) is not null))
        {
            command.With(variable, "");
        }

        // Who only looks sees that nothing came; whoever filters what comes cannot know what was left out.
        var silence = LeavesOutLoopback()
            ? new LoopbackSilence(Follow ? interval : null, isFiltered: MyInvocation.PipelinePosition < MyInvocation.PipelineLength)
            : null;
        var limits = new RunLimits(
            typeof(Flow), Duration ?? (Follow ? (TimeSpan?)null : DefaultDuration), MaximumCount, Filter(),
            Merge: !Follow, Silence: silence);
        CmdletRun.Start(this, command, limits, AsJob, showProgress: !Follow, StopToken);
    });

    // Where nobody says which interfaces are observed, the agent takes all but lo.
    private bool LeavesOutLoopback() =>
        Interface is null && ConfigPath is null && Array.TrueForAll(InterfaceVariables, v => Environment.GetEnvironmentVariable(v) is null)
        && !(Setting?.Keys.Cast<object>().Any(k => k.ToString()?.EndsWith("interfaces", StringComparison.Ordinal) == true) ?? false);

    private Predicate<object>? Filter()
    {
        if (Port is null && Cidr is null && ids.Count == 0)
        {
            return null;
        }

        return value => value is Flow flow
            && (Port is null || Array.Exists(Port, p => p.Contains(flow.SourcePort) || p.Contains(flow.DestinationPort)))
            && (Cidr is null
                || Array.Exists(Cidr, c => c.Contains(flow.Record.SourceAddress) || c.Contains(flow.Record.DestinationAddress)))
            && (ids.Count == 0 || ids.Contains(flow.OwningProcess));
    }
}

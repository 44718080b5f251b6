using System.Net;
using Beyla.Agent.Logging;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>How spans are printed (<c>trace_printer</c>).</summary>
public enum TracePrinterKind : byte
{
    /// <summary>Spans are not printed.</summary>
    Disabled,

    /// <summary>Only the number of spans is printed.</summary>
    Counter,

    /// <summary>A line of text for each span.</summary>
    Text,

    /// <summary>A line of JSON for each span.</summary>
    Json,

    /// <summary>JSON over several lines for each span.</summary>
    JsonIndent,
}

/// <summary>In what form the configuration is logged at start (<c>log_config</c>).</summary>
public enum LoggedConfiguration : byte
{
    /// <summary>It is not logged.</summary>
    None,

    /// <summary>As YAML.</summary>
    Yaml,

    /// <summary>As JSON.</summary>
    Json,
}

/// <summary>The checked configuration of the agent. Immutable.</summary>
public sealed record AgentConfiguration
{
    /// <summary>Which processes are traced.</summary>
    public SelectionRules Selection { get; init; } = SelectionRules.Nothing;

    /// <summary>Whether HTTP and other exchanges of selected processes are traced: there is something to select.</summary>
    public bool ApplicationEnabled => !Selection.IsEmpty;

    /// <summary>
    /// Files that the keeper reads for the worker: the key of each setting and the path. The worker asks for their contents by their
    /// numbers here (KeeperConnection.NamedFile).
    /// </summary>
    public IReadOnlyList<(string Key, string Path)> NamedFiles { get; init; } = [];

    /// <summary>How spans are printed to standard output.</summary>
    public TracePrinterKind TracePrinter { get; init; }

    /// <summary>Whether missing capabilities end the agent (exit code 3) instead of being warned of.</summary>
    public bool EnforceSysCaps { get; init; }

    /// <summary>Lines of the log below this level are not written.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Info;

    /// <summary>How lines of the log are written.</summary>
    public LogFormat LogFormat { get; init; }

    /// <summary>In what form the configuration is logged at start.</summary>
    public LoggedConfiguration LogConfig { get; init; }

    /// <summary>How long a request may wait for its answer before it becomes a span with status 408; zero is for ever.</summary>
    public TimeSpan HttpRequestTimeout { get; init; }

    /// <summary>Different texts of PostgreSQL's prepared statements that are remembered, over all connections.</summary>
    public int PostgresPreparedStatements { get; init; } = 1024;

    /// <summary>Bytes of a PostgreSQL statement that its span shows; 0 is as many as there can be.</summary>
    public int PostgresTextLength { get; init; }

    /// <summary>Whether spans of Redis show the number of the database, where it is known.</summary>
    public bool ShowsRedisDatabase { get; init; } = true;

    /// <summary>Whether statements of SQL are looked for where the protocol is not known (<c>ebpf.heuristic_sql_detect</c>).</summary>
    public bool DetectsSql { get; init; }

    /// <summary>How trace context travels with outgoing requests (<c>ebpf.context_propagation</c>).</summary>
    public ContextPropagation ContextPropagation { get; init; }

    /// <summary>Names of query parameters whose values are redacted; case does not count.</summary>
    public IReadOnlySet<string> SensitiveQueryParameters { get; init; } = Configuration.SensitiveQueryParameters.Default;

    /// <summary>
    /// Which attach points capture what sockets carry; <see cref="SocketSourceKind.Auto"/> is the best that the kernel has.
    /// </summary>
    public SocketSourceKind SocketSource { get; init; }

    /// <summary>Size of the ring between kernel and agent, in bytes: a power of two and a multiple of the page size.</summary>
    public uint RingSize { get; init; } = 8 * 1024 * 1024;

    /// <summary>How long the agent waits at most before it looks into the ring without being woken.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How long stopping may take before the rest is given up.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Stop when standard input ends or the process that started the agent is gone; for programs that run the agent as their child.
    /// </summary>
    public bool ExitWithParent { get; init; }

    /// <summary>Whether and how flows are captured.</summary>
    public NetworkConfiguration Network { get; init; } = new();

    /// <summary>Whether TCP statistics are counted.</summary>
    public StatisticsConfiguration Statistics { get; init; } = new();

    /// <summary>Which metrics there are, where they can be read, and where they are sent.</summary>
    public MetricsConfiguration Metrics { get; init; } = new();

    /// <summary>How spans are sent by OTLP; null where they are not.</summary>
    public TracesExport? Traces { get; init; }

    /// <summary>How spans are gathered and encoded also where they are not sent: a recording is exported so.</summary>
    public TracesOptions TracesOptions { get; init; } = new();

    /// <summary>How spans and metrics are shaped before they leave: routes, samplers, names.</summary>
    public ShapingConfiguration Shaping { get; init; } = new();

    /// <summary>Whether other systems get anything: the worker then speaks with the network.</summary>
    public bool Exports => Traces is not null || Metrics.IsServed || Metrics.Sent is not null;

    /// <summary>Whether flows reach standard output: they are printed as lines or are part of the JSON stream.</summary>
    public bool PrintsFlows => Network.PrintFlows || TracePrinter is TracePrinterKind.Json or TracePrinterKind.JsonIndent;
}

/// <summary>How programs are attached to traffic control (<c>ebpf.traffic_control_backend</c>).</summary>
public enum TrafficControlBackend : byte
{
    /// <summary>tcx where the kernel has it, found by trying.</summary>
    Auto,

    /// <summary>Filters of a clsact queueing discipline, for kernels without tcx.</summary>
    Tc,

    /// <summary>tcx, from Linux 6.6 on.</summary>
    Tcx,
}

/// <summary>What is done with a flow that is seen on several interfaces (<c>network.deduper</c>).</summary>
public enum FlowDeduper : byte
{
    /// <summary>The interface that saw it first counts.</summary>
    FirstCome,

    /// <summary>Every interface counts the flow.</summary>
    None,
}

/// <summary>Which directions are watched (<c>network.direction</c>).</summary>
public enum FlowDirections : byte
{
    /// <summary>Packets in both directions.</summary>
    Both,

    /// <summary>Only packets that come in.</summary>
    Ingress,

    /// <summary>Only packets that go out.</summary>
    Egress,
}

/// <summary>How new interfaces are found (<c>network.listen_interfaces</c>).</summary>
public enum InterfaceListener : byte
{
    /// <summary>The kernel tells of each change (rtnetlink(7)).</summary>
    Watch,

    /// <summary>All interfaces are asked for from time to time.</summary>
    Poll,
}

/// <summary>Which address of the host names the agent (<c>network.agent_ip_type</c>).</summary>
public enum AgentAddressType : byte
{
    /// <summary>An address of either version.</summary>
    Any,

    /// <summary>An IPv4 address.</summary>
    IPv4,

    /// <summary>An IPv6 address.</summary>
    IPv6,
}

/// <summary>How addresses get names (<c>network.reverse_dns.type</c>).</summary>
public enum ReverseDnsType : byte
{
    /// <summary>They get none.</summary>
    None,

    /// <summary>The resolver of the host is asked (getnameinfo(3)).</summary>
    Local,
}

/// <summary>The section <c>network</c>: flows.</summary>
public sealed record NetworkConfiguration
{
    /// <summary>Whether flows are captured.</summary>
    public bool Enabled { get; init; }

    /// <summary>Where packets are seen.</summary>
    public FlowSource Source { get; init; }

    /// <summary>How programs are attached to traffic control; no effect with another <see cref="Source"/>.</summary>
    public TrafficControlBackend TrafficControlBackend { get; init; }

    /// <summary>Interfaces to watch, with either source; empty is all.</summary>
    public IReadOnlyList<NamePattern> Interfaces { get; init; } = [];

    /// <summary>Interfaces to leave out, of those in <see cref="Interfaces"/>.</summary>
    public IReadOnlyList<NamePattern> ExcludeInterfaces { get; init; } = [];

    /// <summary>IANA numbers of the protocols to watch; empty is all.</summary>
    public IReadOnlySet<byte> Protocols { get; init; } = new HashSet<byte>();

    /// <summary>IANA numbers of the protocols to leave out; no effect where <see cref="Protocols"/> is set.</summary>
    public IReadOnlySet<byte> ExcludeProtocols { get; init; } = new HashSet<byte>();

    /// <summary>How many flows are held at once.</summary>
    public int CacheMaxFlows { get; init; } = 5000;

    /// <summary>How long a flow is gathered before it is emitted.</summary>
    public TimeSpan CacheActiveTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is done with a flow that is seen on several interfaces.</summary>
    public FlowDeduper Deduper { get; init; }

    /// <summary>How long the deduper remembers a flow; twice <see cref="CacheActiveTimeout"/> unless set.</summary>
    public TimeSpan DeduperExpiry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Which directions are watched.</summary>
    public FlowDirections Direction { get; init; }

    /// <summary>One packet in so many is looked at; 0 and 1 are every packet.</summary>
    public int Sampling { get; init; }

    /// <summary>How new interfaces are found.</summary>
    public InterfaceListener ListenInterfaces { get; init; }

    /// <summary>How often interfaces are asked for with <see cref="InterfaceListener.Poll"/>.</summary>
    public TimeSpan ListenPollPeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The address that names the agent; null to find it by the two settings below.</summary>
    public IPAddress? AgentIP { get; init; }

    /// <summary><c>external</c>, <c>local</c>, or <c>name:</c> and an interface.</summary>
    public string AgentIPInterface { get; init; } = "external";

    /// <summary>Which version the address that names the agent may have.</summary>
    public AgentAddressType AgentIPType { get; init; }

    /// <summary>Blocks that give addresses a name; the narrowest that holds an address counts.</summary>
    public IReadOnlyList<NamedNetwork> Cidrs { get; init; } = [];

    /// <summary>How addresses of flows get names.</summary>
    public ReverseDnsType ReverseDns { get; init; }

    /// <summary>How many names are remembered.</summary>
    public int ReverseDnsCacheLength { get; init; } = 256;

    /// <summary>How long a name is remembered.</summary>
    public TimeSpan ReverseDnsCacheExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether the higher port counts as the client's where the initiator is unknown (<c>guess_ports: ordinal</c>).</summary>
    public bool GuessPorts { get; init; }

    /// <summary>Whether flows are printed as lines of text.</summary>
    public bool PrintFlows { get; init; }

    /// <summary>What flows must be to be printed or counted in metrics: all of these; empty for no condition.</summary>
    public IReadOnlyList<AttributeCondition> Filter { get; init; } = [];

    /// <summary>Whether flows without processes are of no use: the agent then does not start where it cannot name them.</summary>
    public bool RequireProcess { get; init; }
}

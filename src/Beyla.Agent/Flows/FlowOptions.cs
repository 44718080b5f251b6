using System.Net;

namespace Beyla.Agent.Flows;

/// <summary>How packets are seen (network.source).</summary>
public enum FlowSource : byte
{
    /// <summary>By the filter of a packet socket.</summary>
    SocketFilter,

    /// <summary>By a classifier on tcx or clsact.</summary>
    Tc,
}

/// <summary>What carries the classifiers (ebpf.tc_backend).</summary>
public enum TcBackend : byte
{
    /// <summary>tcx where the kernel takes it, else clsact.</summary>
    Auto,
    Tc,
    Tcx,
}

/// <summary>Which packets count (network.direction).</summary>
public enum FlowDirections : byte
{
    Both,
    Egress,
    Ingress,
}

/// <summary>Address family of the agent's own address (network.agent_ip_type).</summary>
public enum AddressKind : byte
{
    Any,
    IPv4,
    IPv6,
}

/// <summary>How many of the interfaces that a packet passes report it (network.deduper).</summary>
public enum FlowDeduper : byte
{
    /// <summary>The interface and direction that saw the flow first.</summary>
    FirstCome,

    /// <summary>All.</summary>
    None,
}

/// <summary>The network section of the configuration, parsed. The defaults are those of Grafana Beyla.</summary>
public sealed record FlowOptions
{
    public FlowSource Source { get; init; } = FlowSource.SocketFilter;

    public TcBackend TcBackend { get; init; }

    /// <summary>Interfaces to observe; empty for all.</summary>
    public IReadOnlyList<Predicate<string>> Interfaces { get; init; } = [];

    /// <summary>Names of <see cref="Interfaces"/> that are no expressions: a warning tells when one is not there at start.</summary>
    public IReadOnlyList<string> NamedInterfaces { get; init; } = [];

    /// <summary>Interfaces to leave out.</summary>
    public IReadOnlyList<Predicate<string>> ExcludeInterfaces { get; init; } = [static name => name == "lo"];

    /// <summary>Whether <see cref="ExcludeInterfaces"/> is the default: then an interface that <see cref="Interfaces"/> matches is not left out.</summary>
    public bool ExcludeIsDefault { get; init; } = true;

    /// <summary>Protocol numbers to count; empty for all.</summary>
    public IReadOnlyCollection<byte> Protocols { get; init; } = [];

    /// <summary>Protocol numbers to leave out.</summary>
    public IReadOnlyCollection<byte> ExcludeProtocols { get; init; } = [];

    /// <summary>Most flows that the kernel keeps between two looks, from 1 on.</summary>
    public int CacheMaxFlows { get; init; } = 5000;

    /// <summary>Longest time until a flow is reported.</summary>
    public TimeSpan CacheActiveTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public FlowDeduper Deduper { get; init; }

    /// <summary>How long the interface that came first keeps a flow that it does not see; null for twice <see cref="CacheActiveTimeout"/>.</summary>
    public TimeSpan? DeduperTimeToLive { get; init; }

    public FlowDirections Direction { get; init; }

    /// <summary>Count one packet of so many; 0 for all. What is reported is what was counted, not an estimate.</summary>
    public int Sampling { get; init; }

    /// <summary>Look for new interfaces each <see cref="ListenPollPeriod"/> instead of being told.</summary>
    public bool PollInterfaces { get; init; }

    public TimeSpan ListenPollPeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The agent's own address as flows show it; null to find it.</summary>
    public IPAddress? AgentAddress { get; init; }

    /// <summary>Where to find it: <c>external</c>, <c>local</c> or <c>name:INTERFACE</c>.</summary>
    public string AgentAddressInterface { get; init; } = "external";

    public AddressKind AgentAddressKind { get; init; }

    /// <summary>Blocks of addresses with the names that flows show.</summary>
    public IReadOnlyList<(IPNetwork Network, string Label)> Networks { get; init; } = [];

    /// <summary>Look up the names of addresses by the host's resolver (network.reverse_dns.type: local).</summary>
    public bool ReverseNames { get; init; }

    public int ReverseNamesCacheLength { get; init; } = 256;

    public TimeSpan ReverseNamesCacheExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Take the lower port for the server's when nothing better is known (network.guess_ports: ordinal).</summary>
    public bool GuessPorts { get; init; }

    /// <summary>Look for the process of each flow; needs CAP_PERFMON.</summary>
    public bool Processes { get; init; } = true;
}

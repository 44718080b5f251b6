namespace Beyla;

/// <summary>How network flows are captured (<c>network.source</c>).</summary>
public enum FlowSource
{
    /// <summary>A filter on a packet socket (CAP_BPF, CAP_NET_RAW).</summary>
    SocketFilter,

    /// <summary>Traffic control programs on each interface (CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON).</summary>
    TrafficControl,
}

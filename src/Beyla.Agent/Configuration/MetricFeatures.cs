namespace Beyla.Agent.Configuration;

/// <summary>Groups of metrics (<c>metrics.features</c>), as Grafana Beyla names them.</summary>
[Flags]
public enum MetricFeatures
{
    /// <summary>No metrics.</summary>
    None = 0,

    /// <summary>Requests by the conventions of their protocol.</summary>
    Application = 1,

    /// <summary>Spans by their names, with the names of Tempo.</summary>
    ApplicationSpan = 2,

    /// <summary>The same with newer names.</summary>
    ApplicationSpanOtel = 4,

    /// <summary>Bytes of spans.</summary>
    ApplicationSpanSizes = 8,

    /// <summary>Who calls whom.</summary>
    ApplicationServiceGraph = 16,

    /// <summary>Bytes of network flows.</summary>
    Network = 32,

    /// <summary>Packets of network flows.</summary>
    NetworkFlowPackets = 64,

    /// <summary>What the processes use of their host.</summary>
    ApplicationProcess = 128,

    /// <summary>That the host is observed.</summary>
    ApplicationHost = 256,

    /// <summary>Round-trip times of TCP connections.</summary>
    StatsTcpRtt = 512,

    /// <summary>TCP connections that were not made.</summary>
    StatsTcpFailedConnections = 1024,

    /// <summary>TCP segments that were sent again.</summary>
    StatsTcpRetransmits = 2048,

    /// <summary>Bytes that TCP connections sent and received.</summary>
    StatsTcpIo = 4096,

    /// <summary>TCP connections that were made.</summary>
    StatsTcpSuccessfulConnections = 8192,

    /// <summary>What is made of spans, or needs them to know whose it is.</summary>
    OfSpans = Application | ApplicationSpan | ApplicationSpanOtel | ApplicationSpanSizes | ApplicationServiceGraph | ApplicationProcess,

    /// <summary>What is made of flows.</summary>
    OfFlows = Network | NetworkFlowPackets,

    /// <summary>What is made of TCP statistics (<c>stats</c>).</summary>
    OfStatistics = StatsTcpRtt | StatsTcpFailedConnections | StatsTcpRetransmits | StatsTcpIo | StatsTcpSuccessfulConnections,

    /// <summary>Everything that goes together.</summary>
    All = (OfSpans & ~ApplicationSpanOtel) | OfFlows | OfStatistics | ApplicationHost,
}

namespace Beyla.Agent.Metrics;

/// <summary>What stands for the other side where only its address is known: one value for all, as Grafana Beyla has it.</summary>
internal static class PeerNames
{
    /// <summary>A client.</summary>
    internal static ReadOnlySpan<byte> Incoming => "incoming"u8;

    /// <summary>A server.</summary>
    internal static ReadOnlySpan<byte> Outgoing => "outgoing"u8;
}

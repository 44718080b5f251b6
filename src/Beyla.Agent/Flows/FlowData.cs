using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// One flow as it is handed to printers and exporters: what one direction of a conversation sent through one interface since it was last
/// reported. Valid only during the call. Names come from the network, processes and the configuration: untrusted, unescaped.
/// </summary>
public readonly ref struct FlowData
{
    /// <summary>Addresses, ports, protocol, interface and direction of the packets.</summary>
    public required FlowKey Key { get; init; }

    /// <summary>Bytes, packets and TCP flags. For its times see <see cref="First"/> and <see cref="Last"/>.</summary>
    public required FlowValue Value { get; init; }

    /// <summary>The agent's own address; unspecified when the host has none.</summary>
    public required Address AgentAddress { get; init; }

    /// <summary>Name of the interface; empty when it is not known any more.</summary>
    public string Interface { get; init; }

    /// <summary>Whether the source of the packets called or was called; guessed by the ports where nobody saw the call.</summary>
    public FlowDirection Side { get; init; }

    /// <summary>First packet, microseconds since 1970 (UTC).</summary>
    public long First { get; init; }

    /// <summary>Last packet, microseconds since 1970 (UTC).</summary>
    public long Last { get; init; }

    /// <summary>Name of the source address; null when none was looked up or found.</summary>
    public string? SourceName { get; init; }

    /// <summary>Name of the destination address; null when none was looked up or found.</summary>
    public string? DestinationName { get; init; }

    /// <summary>Name of the narrowest configured block of addresses that holds the source; null when none does.</summary>
    public string? SourceNetwork { get; init; }

    /// <summary>Name of the narrowest configured block of addresses that holds the destination; null when none does.</summary>
    public string? DestinationNetwork { get; init; }

    /// <summary>The local process that owns the socket, in the initial pid namespace; 0 when it is not known.</summary>
    public int Pid { get; init; }

    /// <summary>Its name (comm of the thread group leader); empty when it is not known.</summary>
    public ReadOnlySpan<byte> ProcessName { get; init; }

    /// <summary>Its service; empty when it is not known.</summary>
    public string ServiceName { get; init; }
}

/// <summary>Takes flows. Called on the flow thread; must not block.</summary>
public interface IFlowSink
{
    /// <summary>Takes one flow, which is valid until this returns.</summary>
    void OnFlow(in FlowData flow);

    /// <summary>A batch of flows is complete.</summary>
    void Flush();
}

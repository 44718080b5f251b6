using System.Net;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Adds up the reports of flows that went on, so that an observation of any length gives one flow for each direction of a conversation.
/// In the order of their first report.
/// </summary>
public sealed class FlowMerger
{
    private readonly Dictionary<Key, int> places = [];
    private readonly List<Flow> flows = [];

    /// <summary>How many flows there are so far.</summary>
    public int Count => flows.Count;

    /// <summary>The flows so far.</summary>
    public IReadOnlyList<Flow> Flows => flows;

    /// <summary>Adds a report.</summary>
    public void Add(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        var one = flow.Record;
        var key = new Key(
            one.Transport, one.SourceAddress, one.SourcePort, one.DestinationAddress, one.DestinationPort, one.Interface,
            one.InterfaceDirection);
        if (places.TryGetValue(key, out var place))
        {
            flows[place] = new Flow(Sum(flows[place].Record, one));
            return;
        }

        places[key] = flows.Count;
        flows.Add(flow);
    }

    // What is only known later, as a name, a process or who called, is taken from the report that knows it.
    private static Contracts.Flow Sum(Contracts.Flow one, Contracts.Flow other) => one with
    {
        FirstSeen = one.FirstSeen < other.FirstSeen ? one.FirstSeen : other.FirstSeen,
        LastSeen = one.LastSeen > other.LastSeen ? one.LastSeen : other.LastSeen,
        Direction = one.Direction == FlowDirection.Unknown ? other.Direction : one.Direction,
        SourceName = one.SourceName ?? other.SourceName,
        SourceNetwork = one.SourceNetwork ?? other.SourceNetwork,
        DestinationName = one.DestinationName ?? other.DestinationName,
        DestinationNetwork = one.DestinationNetwork ?? other.DestinationNetwork,
        Bytes = one.Bytes + other.Bytes,
        Packets = one.Packets + other.Packets,
        Flags = one.Flags | other.Flags,
        OwningProcess = one.OwningProcess == 0 ? other.OwningProcess : one.OwningProcess,
        ProcessName = one.ProcessName.Length == 0 ? other.ProcessName : one.ProcessName,
        ServiceName = one.ServiceName.Length == 0 ? other.ServiceName : one.ServiceName,
    };

    private readonly record struct Key(
        Transport Transport, IPAddress Source, int SourcePort, IPAddress Destination, int DestinationPort, string Interface,
        InterfaceDirection Direction);
}

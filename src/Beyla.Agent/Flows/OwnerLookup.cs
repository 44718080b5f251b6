namespace Beyla.Agent.Flows;

/// <summary>Sockets and who owns them.</summary>
internal interface IOwnerTable
{
    /// <summary>The owner of the socket with exactly these addresses and ports; void when there is none.</summary>
    bool TryFind(in SocketKey socket, out SocketOwner owner);
}

/// <summary>Finds the local processes that a batch of flows belongs to.</summary>
internal static class OwnerLookup
{
    private const byte Tcp = 6;

    /// <summary>Writes the owners of the first flows of a batch beside them.</summary>
    /// <param name="table">Who owns what.</param>
    /// <param name="exchange">The batch, and which of its flows have an address of the host at the host's end.</param>
    /// <param name="count">Flows.</param>
    internal static void Find(IOwnerTable table, FlowExchange exchange, int count)
    {
        for (var i = 0; i < count; i++)
        {
            // A copy: the other side of the exchange could change it meanwhile.
            var flow = exchange.Keys[i];
            exchange.Found[i] = (byte)(TryFind(table, in flow, exchange.Ours[i] != 0, out exchange.Owners[i]) ? 1 : 0);
        }
    }

    /// <summary>The owner of a flow's local socket: of the connection, else of what is bound to its end, else to its port.</summary>
    /// <param name="table">Who owns what.</param>
    /// <param name="flow">The flow.</param>
    /// <param name="isOurs">Whether the address at the host's end is the host's: only then it may be a socket that is
    /// bound to no address.</param>
    /// <param name="owner">Who owns it.</param>
    private static bool TryFind(IOwnerTable table, in FlowKey flow, bool isOurs, out SocketOwner owner)
    {
        var outgoing = flow.Direction == InterfaceDirection.Egress;
        var key = new SocketKey
        {
            Local = outgoing ? flow.Source : flow.Destination,
            LocalPort = outgoing ? flow.SourcePort : flow.DestinationPort,
            Protocol = flow.Protocol,
        };
        if (key.LocalPort == 0)
        {
            owner = default;
            return false;
        }

        var unconnected = key;
        if (flow.Protocol == Tcp)
        {
            key.Remote = outgoing ? flow.Destination : flow.Source;
            key.RemotePort = outgoing ? flow.DestinationPort : flow.SourcePort;
            if (table.TryFind(in key, out owner))
            {
                return true;
            }
        }

        if (table.TryFind(in unconnected, out owner))
        {
            return true;
        }

        unconnected.Local = default;
        return isOurs && table.TryFind(in unconnected, out owner);
    }
}

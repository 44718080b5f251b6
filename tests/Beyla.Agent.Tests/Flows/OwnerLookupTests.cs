using System.Net;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Flows;

/// <summary>Which socket a flow belongs to, for a batch of them; the table of sockets is played.</summary>
public sealed class OwnerLookupTests
{
    private const byte Tcp = 6, Udp = 17;
    private const string Host = "198.18.9.1", Peer = "198.18.9.2", Other = "203.0.113.5", Any = "";

    // As bpf/owners.bpf.c publishes them: a connection by both ends, a listener and a bound or unconnected socket by its own.
    private static readonly Table Sockets = new(new()
    {
        [(Host, 40000, Peer, 443, Tcp)] = 11,
        [(Host, 8080, Any, 0, Tcp)] = 12,
        [(Any, 9090, Any, 0, Tcp)] = 13,
        [(Host, 53, Any, 0, Udp)] = 14,
        [(Any, 5353, Any, 0, Udp)] = 15,
        [(Host, 8080, Peer, 50001, Tcp)] = 16,
    });

    private static readonly (string From, int FromPort, string To, int ToPort, byte Protocol, bool Outgoing, bool Ours, int Pid)[] Flows =
    [
        (Host, 40000, Peer, 443, Tcp, true, true, 11),
        (Peer, 443, Host, 40000, Tcp, false, true, 11),
        (Host, 40000, Peer, 444, Tcp, true, true, 0), // another connection of the same port
        (Peer, 50000, Host, 8080, Tcp, false, true, 12), // nobody accepted it yet: the listener's
        (Peer, 50001, Host, 8080, Tcp, false, true, 16),
        (Peer, 50000, Host, 9090, Tcp, false, true, 13), // bound to no address
        (Peer, 50000, Other, 9090, Tcp, false, false, 0), // only passed on
        (Host, 53, Peer, 6000, Udp, true, true, 14),
        (Peer, 6000, Host, 53, Udp, false, false, 14), // bound to the address: no matter whose that is
        (Peer, 5353, Host, 5353, Udp, false, true, 15),
        (Peer, 5353, Other, 5353, Udp, false, false, 0),
        (Host, 40000, Peer, 443, Udp, true, true, 0), // the port of another protocol
        (Peer, 40000, Host, 443, Tcp, true, true, 0), // what goes out has its host's end at the source
        (Peer, 0, Host, 0, 1, false, true, 0), // no ports, no socket
    ];

    [Fact]
    public void Each_flow_of_a_batch_gets_its_own_answer()
    {
        using FlowExchange exchange = new();
        exchange.Found.Fill(9);
        int count = 0;
        List<int> expected = [];
        foreach (var (source, sourcePort, destination, destinationPort, protocol, outgoing, ours, pid) in Flows)
        {
            exchange.Keys[count] = new FlowKey
            {
                Source = Address(source), SourcePort = (ushort)sourcePort, Destination = Address(destination),
                DestinationPort = (ushort)destinationPort, Protocol = protocol, Interface = 2,
                Direction = outgoing ? InterfaceDirection.Egress : InterfaceDirection.Ingress,
            };
            exchange.Owners[count] = new SocketOwner { Pid = 99 };
            exchange.Ours[count++] = (byte)(ours ? 1 : 0);
            expected.Add(pid);
        }

        OwnerLookup.Find(Sockets, exchange, count);

        Assert.Equal(expected, exchange.Owners[..count].ToArray().Select(owner => (int)owner.Pid));
        Assert.Equal(expected.Select(pid => pid == 0 ? 0 : 1), exchange.Found[..count].ToArray().Select(found => (int)found));
        // What was not asked for stays as it was.
        Assert.All(exchange.Found[count..].ToArray(), found => Assert.Equal(9, found));
    }

    [Fact]
    public void A_whole_batch_is_answered_to_its_last_entry()
    {
        using FlowExchange exchange = new();
        for (int i = 0; i < FlowExchange.Capacity; i++)
        {
            exchange.Keys[i] = new FlowKey
            {
                Source = Address(Peer), SourcePort = (ushort)(50002 + i), Destination = Address(Host), DestinationPort = 8080,
                Protocol = Tcp, Direction = InterfaceDirection.Ingress,
            };
        }

        exchange.Keys[FlowExchange.Capacity - 1].SourcePort = 50001;
        OwnerLookup.Find(Sockets, exchange, FlowExchange.Capacity);

        Assert.Equal(
            [.. Enumerable.Repeat(12u, FlowExchange.Capacity - 1), 16u], exchange.Owners.ToArray().Select(owner => owner.Pid));
        Assert.All(exchange.Found.ToArray(), found => Assert.Equal(1, found));
    }

    private static Address Address(string text) => text.Length == 0 ? default : Agent.Linux.Address.From(IPAddress.Parse(text));

    private sealed class Table(Dictionary<(string Local, int LocalPort, string Remote, int RemotePort, byte Protocol), int> sockets)
        : IOwnerTable
    {
        private readonly Dictionary<(Address, int, Address, int, byte), int> owners = sockets.ToDictionary(
            socket => (Address(socket.Key.Local), socket.Key.LocalPort, Address(socket.Key.Remote), socket.Key.RemotePort,
                socket.Key.Protocol),
            socket => socket.Value);

        public bool TryFind(in SocketKey socket, out SocketOwner owner)
        {
            bool found = owners.TryGetValue(
                (socket.Local, socket.LocalPort, socket.Remote, socket.RemotePort, socket.Protocol), out int pid);
            owner = new SocketOwner { Pid = (uint)pid };
            return found;
        }
    }
}

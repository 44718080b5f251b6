using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Statistics;

/// <summary>A connection between the two sides of a lab, both ends in this process. A socket stays in the namespace that made it.</summary>
internal sealed class TcpPair : IDisposable
{
    private TcpPair(Socket client, Socket server)
    {
        (Client, Server) = (client, server);
        (ClientEnd, ServerEnd) = (client.LocalEndPoint!, client.RemoteEndPoint!);
    }

    public Socket Client { get; }

    public Socket Server { get; }

    public EndPoint ClientEnd { get; }

    public EndPoint ServerEnd { get; }

    /// <summary>Connects from the host side to the peer.</summary>
    public static async Task<TcpPair> ConnectAsync(FlowLab lab, string address = FlowLab.PeerAddress)
    {
        using Socket listener = await ListenAsync(lab.Peer, address);
        return await ConnectAsync(lab.Host, listener);
    }

    /// <summary>Listens on a port of the kernel's choice.</summary>
    public static async Task<Socket> ListenAsync(string ns, string address)
    {
        Socket? listener = null;
        await FlowLab.RunInside(ns, () =>
        {
            listener = New(address);
            listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            listener.Listen();
        });
        return listener!;
    }

    /// <summary>Connects from a namespace to a listener.</summary>
    public static async Task<TcpPair> ConnectAsync(string ns, Socket listener)
    {
        Socket? client = null;
        await FlowLab.RunInside(ns, () =>
        {
            client = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint!);
        });
        return new TcpPair(client!, await listener.AcceptAsync());
    }

    /// <summary>Sends from one end and reads all of it at the other.</summary>
    public static void Move(Socket from, Socket to, int bytes)
    {
        byte[] data = new byte[Math.Min(bytes, 50_000)], got = new byte[65536];
        for (int sent = 0; sent < bytes;)
        {
            int portion = Math.Min(bytes - sent, data.Length);
            from.Send(data, portion, SocketFlags.None);
            sent += portion;
            for (int read = 0; read < portion;)
            {
                int n = to.Receive(got);
                Assert.NotEqual(0, n);
                read += n;
            }
        }
    }

    /// <summary>Reads the end of what the other side sends.</summary>
    public static void ReadEnd(Socket socket) => Assert.Equal(0, socket.Receive(new byte[16]));

    /// <summary>Closes by RST.</summary>
    public static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    /// <summary>struct tcp_info (linux/tcp.h): what waits for an acknowledgement, the round trip, segments sent again.</summary>
    public static (uint Unacknowledged, uint RoundTrip, uint Retransmits) Information(Socket socket)
    {
        const int level = 6, TCP_INFO = 11;
        byte[] info = new byte[104];
        Assert.Equal(104, socket.GetRawSocketOption(level, TCP_INFO, info));
        return (Read(24), Read(68), Read(100));

        uint Read(int at) => BinaryPrimitives.ReadUInt32LittleEndian(info.AsSpan(at));
    }

    /// <summary>Waits until nothing of both ends is under way.</summary>
    public async Task SettleAsync() => Assert.True(await Wait.UntilAsync(
        () => Information(Client).Unacknowledged == 0 && Information(Server).Unacknowledged == 0, Wait.Hang));

    /// <summary>RetransSegs of a namespace (RFC 4022: tcpRetransSegs), which has segments of handshakes in it.</summary>
    public static async Task<long> RetransmitsOfAsync(string ns)
    {
        string[][] lines = [];
        await FlowLab.RunInside(ns, () => lines = [.. File.ReadLines("/proc/thread-self/net/snmp")
            .Where(line => line.StartsWith("Tcp:", StringComparison.Ordinal)).Select(line => line.Split(' '))]);
        return long.Parse(lines[1][Array.IndexOf(lines[0], "RetransSegs")], CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private static Socket New(string address) => new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
}

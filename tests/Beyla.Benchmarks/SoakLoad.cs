using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>Requests and datagrams at a steady rate, on threads of its own, until it is stopped.</summary>
internal sealed class SoakLoad : IDisposable
{
    /// <summary>What it does.</summary>
    public const string Description = "About 2,000 requests a second on 32 connections that stay, 100 a second on a connection each, and "
        + "500 datagrams a second to a port\neach.";

    private const int Keepers = 4, Connections = 8, PerTurn = 5;
    private const int TurnMilliseconds = 10;

    private readonly List<Thread> threads = [];
    private readonly byte[] kept, closed;
    private readonly int port;
    private long requests;
    private volatile bool stopping;
    private volatile Exception? failure;

    /// <param name="port">Of a server at the far end.</param>
    public SoakLoad(int port)
    {
        this.port = port;
        kept = Encoding.ASCII.GetBytes($"GET /small HTTP/1.1\r\nHost: {VethPair.Far}\r\n\r\n");
        closed = Encoding.ASCII.GetBytes($"GET /small HTTP/1.1\r\nHost: {VethPair.Far}\r\nConnection: close\r\n\r\n");
        for (var i = 0; i < Keepers; i++)
        {
            Start(Keep());
        }

        Start(Churn());
        Start(Scatter());
    }

    /// <summary>Requests that were answered so far.</summary>
    public long Requests => Interlocked.Read(ref requests);

    /// <summary>Ends the load.</summary>
    /// <returns>All requests, each of which was answered.</returns>
    public long Stop()
    {
        Dispose();
        return failure is null ? Requests : throw new InvalidOperationException("the load failed", failure);
    }

    public void Dispose()
    {
        stopping = true;
        threads.ForEach(static thread => thread.Join());
    }

    /// <summary>A turn every ten milliseconds; one that is late is made up for.</summary>
    private void Start(IEnumerator<bool> turns)
    {
        var thread = new Thread(() =>
        {
            try
            {
                using (turns)
                {
                    for (var due = Environment.TickCount64; !stopping && turns.MoveNext(); due += TurnMilliseconds)
                    {
                        Thread.Sleep((int)Math.Clamp(due + TurnMilliseconds - Environment.TickCount64, 0, TurnMilliseconds));
                    }
                }
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                failure = e;
            }
        });
        threads.Add(thread);
        thread.Start();
    }

    private IEnumerator<bool> Keep()
    {
        var clients = Enumerable.Range(0, Connections).Select(_ => new TcpClient(VethPair.Far, port) { NoDelay = true }).ToArray();
        try
        {
            for (var next = 0; ; next += PerTurn)
            {
                for (var i = 0; i < PerTurn; i++)
                {
                    Ask(clients[(next + i) % Connections], kept);
                }

                yield return true;
            }
        }
        finally
        {
            Array.ForEach(clients, static client => client.Dispose());
        }
    }

    private IEnumerator<bool> Churn()
    {
        while (true)
        {
            using (var client = new TcpClient(VethPair.Far, port) { NoDelay = true })
            {
                Ask(client, closed);
            }

            yield return true;
        }
    }

    private static IEnumerator<bool> Scatter()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (var next = 0; ; next += PerTurn)
        {
            for (var i = 0; i < PerTurn; i++)
            {
                _ = socket.SendTo(new byte[22], new IPEndPoint(IPAddress.Parse(VethPair.Nobody), 1 + ((next + i) % 60_000)));
            }

            yield return true;
        }
    }

    private void Ask(TcpClient client, byte[] request)
    {
        Span<byte> buffer = stackalloc byte[4096];
        client.Client.Send(request);
        for (int got = 0, more; !buffer[..got].EndsWith("xxxx"u8); got += more)
        {
            more = client.Client.Receive(buffer[got..]);
            if (more == 0)
            {
                throw new IOException("the server closed the connection before it had answered");
            }
        }

        Interlocked.Increment(ref requests);
    }
}

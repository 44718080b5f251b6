using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;
using Beyla.Agent.Statistics;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Statistics;

/// <summary>The programs without an agent around them: what two processors do at once, and sockets that are used again.</summary>
public sealed partial class ProgramTests
{
    /// <summary>
    /// Connections are walked over all the time while they send, and while they end: no byte is told twice, and none is left out. They end
    /// by RST, in which nothing has a sequence number of its own.
    /// </summary>
    [LiveFact]
    public async Task A_walk_and_an_end_at_the_same_time_count_once()
    {
        const int count = 3000, up = 3000, down = 70, together = 50;
        using Followed followed = new();
        using Socket listener = Listen();
        List<(EndPoint Client, EndPoint Server)> ends = [];
        for (int i = 0; i < count; i++)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint!);
            using Socket server = listener.Accept();
            ends.Add((client.LocalEndPoint!, server.LocalEndPoint!));
            TcpPair.Move(client, server, up);
            TcpPair.Move(server, client, down);
            TcpPair.Reset(client);
            if (ends.Count % together == 0)
            {
                // However late the reader is, the ring never fills.
                await followed.UntilClosedAsync(
                    ends[^together..].SelectMany(end => (IEnumerable<(EndPoint, EndPoint)>)[end, (end.Server, end.Client)]));
            }
        }

        ILookup<(EndPoint, EndPoint), TcpStatistic> all = followed.Stop();
        Assert.Contains(all.SelectMany(end => end), record => record.Kind == TcpStatisticKind.Open);
        // A port may have been given to two clients, one after the other: both ends are then those of two connections.
        foreach (IGrouping<(EndPoint, EndPoint), (EndPoint, EndPoint)> same in ends.GroupBy(end => end))
        {
            (EndPoint client, EndPoint server) = same.Key;
            AssertOnce(same.Count(), up, down, all[(client, server)]);
            AssertOnce(same.Count(), down, up, all[(server, client)]);
        }
    }

    /// <summary>connect(2) with AF_UNSPEC ends a connection, and the socket can be used for another one.</summary>
    [LiveFact]
    public async Task Each_connection_of_a_socket_begins_with_nothing()
    {
        using Followed followed = new();
        using Socket first = Listen(), second = Listen();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal(0, Connect(client, (IPEndPoint)first.LocalEndPoint!));
        EndPoint one, other;
        using (Socket server = first.Accept())
        {
            one = server.RemoteEndPoint!;
            TcpPair.Move(client, server, 10_000);
            TcpPair.Move(server, client, 700);
            Assert.Equal(0, Connect(client, null));
        }

        Assert.Equal(0, Connect(client, (IPEndPoint)second.LocalEndPoint!));
        using (Socket server = second.Accept())
        {
            other = server.RemoteEndPoint!;
            TcpPair.Move(client, server, 33);
            TcpPair.Move(server, client, 4);
            client.Close();
            TcpPair.ReadEnd(server);
        }

        await followed.UntilClosedAsync([(one, first.LocalEndPoint!), (other, second.LocalEndPoint!)]);
        ILookup<(EndPoint, EndPoint), TcpStatistic> all = followed.Stop();
        AssertOnce(1, 10_000, 700, all[(one, first.LocalEndPoint!)]);
        AssertOnce(1, 33, 4, all[(other, second.LocalEndPoint!)]);
    }

    private static void AssertOnce(int connections, int sent, int received, IEnumerable<TcpStatistic> records)
    {
        Assert.Equal(connections, records.Count(record => record.Kind == TcpStatisticKind.Established));
        Assert.Equal(connections, records.Count(record => record.Kind == TcpStatisticKind.Closed));
        Assert.Equal(connections * sent, records.Sum(record => (long)record.Sent));
        Assert.Equal(connections * received, records.Sum(record => (long)record.Received));
    }

    private static Socket Listen()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, FreePort.Next()));
        listener.Listen();
        return listener;
    }

    /// <summary>connect(2) with a struct sockaddr_in; null for AF_UNSPEC.</summary>
    private static int Connect(Socket socket, IPEndPoint? to)
    {
        byte[] address = new byte[16];
        if (to is not null)
        {
            (address[0], address[2], address[3]) = (2, (byte)(to.Port >> 8), (byte)to.Port);
            to.Address.GetAddressBytes().CopyTo(address, 4);
        }

        return Connect((int)socket.Handle, address, address.Length);
    }

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int fd, byte[] address, int length);

    /// <summary>The programs, attached, and a thread that walks and reads without a pause.</summary>
    private sealed class Followed : IRingSink, IDisposable
    {
        private readonly BpfObject programs = BpfObject.Open("statistics").Load();
        private readonly BpfLink state;
        private readonly BpfIterator files;
        private readonly RingBuffer ring;
        private readonly List<TcpStatistic> records = []; // of the thread, until that ends
        private readonly ConcurrentDictionary<(EndPoint Local, EndPoint Remote), bool> closed = [];
        private readonly Thread thread;
        private volatile bool stopped;

        public Followed()
        {
            state = programs.Program("on_state").Attach();
            files = new BpfIterator(programs.Program("on_file"));
            ring = new RingBuffer(programs.Map("tcp_statistics"));
            thread = new Thread(Run);
            thread.Start();
        }

        private ulong Lost => RingCounters.Read(programs.Map("tcp_statistics_counters")).Lost;

        public void OnRecord(ReadOnlySpan<byte> record)
        {
            TcpStatistic statistic = MemoryMarshal.Read<TcpStatistic>(record);
            records.Add(statistic);
            if (statistic.Kind == TcpStatisticKind.Closed)
            {
                closed[(Local(statistic), Remote(statistic))] = true;
            }
        }

        public async Task UntilClosedAsync(IEnumerable<(EndPoint Local, EndPoint Remote)> which)
        {
            List<(EndPoint, EndPoint)> ends = [.. which];
            Assert.True(
                await Wait.UntilAsync(() => ends.All(closed.ContainsKey), Wait.Hang),
                $"lost: {Lost}, calls that were left out: {programs.Program("on_state").Missed}, "
                    + $"missing: {string.Join(' ', ends.Where(end => !closed.ContainsKey(end)))}");
        }

        /// <summary>All records, by the end that they tell of.</summary>
        public ILookup<(EndPoint Local, EndPoint Remote), TcpStatistic> Stop()
        {
            stopped = true;
            thread.Join();
            // Nothing was lost, or the sums would say nothing.
            Assert.Equal(0u, Lost);
            return records.ToLookup(record => ((EndPoint)Local(record), (EndPoint)Remote(record)));
        }

        public void Dispose()
        {
            stopped = true;
            thread.Join();
            state.Dispose();
            files.Dispose();
            ring.Dispose();
            programs.Dispose();
        }

        private static IPEndPoint Local(TcpStatistic record) => new IPEndPoint(record.Local.ToIPAddress(), record.LocalPort);

        private static IPEndPoint Remote(TcpStatistic record) => new IPEndPoint(record.Remote.ToIPAddress(), record.RemotePort);

        private void Run()
        {
            while (!stopped)
            {
                files.Run();
                ring.Drain(this, ring.End);
            }

            ring.Drain(this, ring.End);
        }
    }
}

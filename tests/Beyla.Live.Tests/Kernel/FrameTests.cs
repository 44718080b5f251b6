using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Kernel;

/// <summary>
/// The walk over frames in the kernel: whatever operations the frames come in, what has to be captured is captured as it was sent, and
/// what has not is not. The frames and what is to be kept of each are worked out here.
/// </summary>
public sealed class FrameTests
{
    private const int Port = 0;

    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (string source in SocketSourcesAttribute.Names)
            {
                for (int seed = 1; seed <= 4; seed++)
                {
                    cases.Add(source, seed);
                }
            }

            return cases;
        }
    }

    /// <summary>Frames of PostgreSQL of all sizes, in sends of all sizes, both ways.</summary>
    [LiveTheory, MemberData(nameof(Cases))]
    public Task Frames_of_PostgreSQL(string source, int seed) => Task.Run(() => Exchange(source, seed, Postgres));

    /// <summary>Elements of Redis.</summary>
    [LiveTheory, MemberData(nameof(Cases))]
    public Task Elements_of_Redis(string source, int seed) => Task.Run(() => Exchange(source, seed, Redis));

    private static void Exchange(string source, int seed, Func<Random, bool, Stream> make)
    {
        Random random = new(seed);
        using Watcher watcher = Watcher.Open(new WatcherNeeds());
        using SocketSource sockets = SocketSource.Open(
            Enum.Parse<SocketSourceKind>(source, ignoreCase: true), watcher.Selection, 8 << 20, detectsSql: false,
            ContextPropagation.Disabled, static (_, _) => { });
        using RingBuffer ring = new(sockets.Ring);
        watcher.Selection.Select(Environment.ProcessId);
        watcher.Selection.Capture(true);

        using TcpListener listener = new(IPAddress.Loopback, Port);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(IPAddress.Loopback, port);
        using Socket server = listener.AcceptSocket();
        server.NoDelay = true;

        Capture capture = new(port);
        List<byte> asked = [], answered = [];
        List<Kept> keptOfAsked = [], keptOfAnswered = [];
        for (int turn = 0; turn < 12; turn++)
        {
            Send(client, server, make(random, true), random, asked, keptOfAsked, () => ring.Drain(capture, ring.End));
            Send(server, client, make(random, false), random, answered, keptOfAnswered, () => ring.Drain(capture, ring.End));
        }

        PlaceCounters[] places = new PlaceCounters[IKeeperHost.MaximumPlaces];
        _ = sockets.Count(places);
        Assert.Equal(0, places[0].Lost);

        capture.Check(port, serves: false, SocketDirection.Send, asked, keptOfAsked);
        capture.Check(port, serves: true, SocketDirection.Receive, asked, keptOfAsked);
        capture.Check(port, serves: true, SocketDirection.Send, answered, keptOfAnswered);
        capture.Check(port, serves: false, SocketDirection.Receive, answered, keptOfAnswered);
    }

    /// <summary>Everything in sends and receives of random sizes; they never wait for each other.</summary>
    private static void Send(Socket from, Socket to, Stream stream, Random random, List<byte> all, List<Kept> kept, Action drain)
    {
        byte[] bytes = [.. stream.Bytes];
        kept.AddRange(stream.Kept.Select(k => k with { Start = k.Start + all.Count }));
        all.AddRange(bytes);
        byte[] room = new byte[70_000];
        int sent = 0, received = 0;
        while (received < bytes.Length)
        {
            int most = random.Next(4) switch { 0 => 3, 1 => 40, 2 => 5000, _ => 60_000 };
            int size = Math.Min(random.Next(1, most + 1), bytes.Length - sent);
            if (size > 0 && sent - received < 100_000)
            {
                sent += from.Send(bytes, sent, size, SocketFlags.None);
            }

            if (sent > received)
            {
                received += to.Receive(room, Math.Min(random.Next(1, most + 1), room.Length), SocketFlags.None);
            }

            drain();
        }
    }

    private static Stream Postgres(Random random, bool isRequest)
    {
        Stream stream = new();
        int count = random.Next(1, 200);
        for (int i = 0; i < count; i++)
        {
            if (isRequest)
            {
                int text = random.Next(20) switch { 0 => 100_000, < 3 => 6000, _ => random.Next(1, 300) };
                switch (i == 0 ? 0 : random.Next(5))
                {
                    case 0:
                        stream.Add(Message('Q', [.. Text("SELECT ", text), 0]), 4096);
                        break;
                    case 1:
                        stream.Add(Message('P', [0, .. Text("SELECT ", text), 0, 0, 0]), 4096);
                        break;
                    case 2:
                        stream.Add(Message('B', Text("", random.Next(2, 900))), 256);
                        break;
                    case 3:
                        stream.Add(Message('d', Text("", random.Next(0, 70_000))), 0);
                        break;
                    default:
                        stream.Add(Message('D', [(byte)'S', .. Text("", random.Next(0, 20)), 0]), 256);
                        break;
                }

                continue;
            }

            switch (i == 0 ? 0 : random.Next(6))
            {
                case 0:
                    stream.Add(Message('T', Text("", random.Next(2, 600))), 256);
                    break;
                case 1:
                    stream.Add(Message('C', [.. "SELECT 1"u8, 0]), 256);
                    break;
                case 2:
                    stream.Add(Message('Z', [(byte)'I']), 256);
                    break;
                default:
                    for (int row = random.Next(1, 100); row > 0; row--)
                    {
                        stream.Add(Message('D', [0, 1, .. Text("", random.Next(200) == 0 ? 40_000 : random.Next(0, 60))]), 0);
                    }

                    break;
            }
        }

        return stream;
    }

    private static Stream Redis(Random random, bool isRequest)
    {
        Stream stream = new();
        int count = random.Next(1, 300);
        for (int i = 0; i < count; i++)
        {
            int size = random.Next(40) switch { 0 => 50_000, 1 => 300, _ => random.Next(0, 60) };
            byte[] value = [.. Encoding.ASCII.GetBytes($"${size}\r\n"), .. Text("$5\r\n", size)[..size], .. "\r\n"u8];
            int kept = size <= 256 ? value.Length : value.Length - size - 2 + 64;
            if (isRequest)
            {
                stream.Add("*3\r\n"u8.ToArray(), 4);
                stream.Add("$3\r\nSET\r\n"u8.ToArray(), 9);
                stream.Add("$1\r\nk\r\n"u8.ToArray(), 7);
                stream.Add(value, kept);
            }
            else if (random.Next(3) == 0)
            {
                stream.Add("-ERR something is wrong with this\r\n"u8.ToArray(), 256);
            }
            else
            {
                stream.Add(value, kept);
            }
        }

        return stream;
    }

    private static byte[] Text(string start, int length) =>
        [.. Encoding.ASCII.GetBytes(start), .. Enumerable.Range(0, Math.Max(0, length - start.Length)).Select(i => (byte)('a' + (i % 26)))];

    private static byte[] Message(char type, byte[] body)
    {
        byte[] message = new byte[5 + body.Length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message, 5);
        return message;
    }

    /// <summary>Of the bytes of a direction, the ones from Start on are to be captured.</summary>
    private readonly record struct Kept(int Start, int Length, bool IsFrame);

    private sealed class Stream
    {
        public List<byte> Bytes { get; } = [];

        public List<Kept> Kept { get; } = [];

        public void Add(byte[] frame, int keep)
        {
            Kept.Add(new Kept(Bytes.Count, Math.Min(keep, frame.Length), true));
            Bytes.AddRange(frame);
        }
    }

    /// <summary>What the events hold, put back to its place in each direction.</summary>
    private sealed class Capture(int port) : IRingSink
    {
        private readonly Dictionary<(bool Serves, SocketDirection Direction), Side> sides = [];

        public void OnRecord(ReadOnlySpan<byte> record)
        {
            SocketEvent e = MemoryMarshal.Read<SocketEvent>(record);
            if (e.Kind != SocketEventKind.Data || (e.LocalPort != port && e.RemotePort != port))
            {
                return;
            }

            (bool, SocketDirection) key = (e.LocalPort == port, e.Direction);
            if (!sides.TryGetValue(key, out Side? side))
            {
                sides[key] = side = new Side { First = e.Sequence, Next = e.Sequence };
                Assert.True(e.Flags.HasFlag(SocketEventFlags.Fresh) || e.Direction != SocketDirection.Receive || e.LocalPort != port);
            }

            Assert.Equal(e.LocalPort == port, e.Flags.HasFlag(SocketEventFlags.Accepted));
            Assert.Equal(side.Next, e.Sequence);
            side.Next = e.Sequence + e.Length;
            side.Unwalked += e.Unwalked;
            int at = (int)(e.Sequence - side.First);
            ReadOnlySpan<byte> rest = record[Unsafe.SizeOf<SocketEvent>()..];
            side.Put(at, rest[..e.Captured], e.Captured > 0 && e.Flags.HasFlag(SocketEventFlags.Aligned));
            rest = rest[e.Captured..];
            at += e.Captured;
            for (int i = 0; i < e.Pieces; i++)
            {
                SocketPiece piece = MemoryMarshal.Read<SocketPiece>(rest);
                int length = (int)(piece.Length & ~SocketPiece.Aligned);
                at += (int)piece.Gap;
                side.Put(at, rest.Slice(8, length), (piece.Length & SocketPiece.Aligned) != 0);
                rest = rest[(8 + length)..];
                at += length;
            }

            Assert.Equal(0, rest.Length);
            Assert.InRange(at, 0, (int)(side.Next - side.First));
        }

        public void Check(int checkedPort, bool serves, SocketDirection direction, List<byte> truth, List<Kept> kept)
        {
            Side side = sides[(serves, direction)];
            string name = $"port {checkedPort}, {(serves ? "server" : "client")}, {direction}";
            Assert.Equal(0u, side.Unwalked);
            Assert.Equal((uint)truth.Count, side.Next - side.First);
            HashSet<int> starts = [.. kept.Select(k => k.Start)];
            Assert.All(side.Aligned, start => Assert.True(starts.Contains(start), $"{name}: no frame begins at {start}"));
            long wanted = 0;
            foreach (Kept k in kept)
            {
                wanted += k.Length;
                for (int i = k.Start; i < k.Start + k.Length; i++)
                {
                    Assert.True(side.Bytes.TryGetValue(i, out byte b), $"{name}: byte {i} of the frame at {k.Start} is missing");
                    Assert.True(b == truth[i], $"{name}: byte {i} is {b}, sent was {truth[i]}");
                }
            }

            // A header that an operation cuts is kept even where its frame is not.
            Assert.InRange(side.Bytes.Count, wanted, wanted + (16 * (kept.Count + 1000)));
        }

        private sealed class Side
        {
            public uint First, Next, Unwalked;

            public Dictionary<int, byte> Bytes { get; } = [];

            public List<int> Aligned { get; } = [];

            public void Put(int at, ReadOnlySpan<byte> bytes, bool isAligned)
            {
                if (isAligned)
                {
                    Aligned.Add(at);
                }

                for (int i = 0; i < bytes.Length; i++)
                {
                    Assert.True(Bytes.TryAdd(at + i, bytes[i]), "a byte was captured twice");
                }
            }
        }
    }
}

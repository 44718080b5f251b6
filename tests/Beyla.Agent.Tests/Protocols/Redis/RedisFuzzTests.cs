using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Redis;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>A million mutated exchanges: no exception, no growth, and every count agrees; and none of them allocates.</summary>
public class RedisFuzzTests
{
    private const int Exchanges = 1_000_000;

    private static readonly (char From, byte[] Data)[][] Cases =
    [
        Case(RedisRig.Command("SET", "key", "value") + RedisRig.Command("GET", "key"), "+OK\r\n$5\r\nvalue\r\n"),
        Case(RedisRig.Command("MULTI") + RedisRig.Command("INCR", "a") + RedisRig.Command("EXEC"), "+OK\r\n+QUEUED\r\n*1\r\n-ERR a\r\n"),
        Case(RedisRig.Command("SUBSCRIBE", "a", "b"), "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n+x\r\n"),
        Case(RedisRig.Command("HELLO", "3"), "%1\r\n+proto\r\n:3\r\n", "GET a\r\n", ">2\r\n+invalidate\r\n*1\r\n+k\r\n_\r\n"),
        Case(RedisRig.Command("CLIENT", "REPLY", "SKIP") + RedisRig.Command("GET", "a"), "", RedisRig.Command("GET", "b"), "$-1\r\n"),
        Case(RedisRig.Command("XREAD", "STREAMS", "s", "0"), "*1\r\n*2\r\n+s\r\n*1\r\n*2\r\n+1-0\r\n*2\r\n+f\r\n+v\r\n"),
        Case(RedisRig.Command("LPUSH", "k", new string('v', 120)), "-WRONGTYPE Operation\r\n", RedisRig.Command("PING"), "+PONG\r\n"),
        Case(RedisRig.Command("EVALSHA", "abc", "1", "k"), "|1\r\n+a\r\n+b\r\n$?\r\n;2\r\nab\r\n;0\r\n",
            RedisRig.Command("RESET"), "+RESET\r\n"),
    ];

    private static readonly byte[][] Fragments =
    [
        "\r\n"u8.ToArray(), "*1\r\n$4\r\nPING\r\n"u8.ToArray(), "$-1\r\n"u8.ToArray(), "*-1\r\n"u8.ToArray(), "+OK\r\n"u8.ToArray(),
        "$999999999999999\r\n"u8.ToArray(), "*2147483647\r\n"u8.ToArray(), "|2147483647\r\n"u8.ToArray(), ">3\r\n"u8.ToArray(),
        "-ERR\r\n"u8.ToArray(), "*1\r\n$5\r\nMULTI\r\n"u8.ToArray(), "*1\r\n$4\r\nEXEC\r\n"u8.ToArray(), "$?\r\n"u8.ToArray(),
        "*1\r\n$11\r\nUNSUBSCRIBE\r\n"u8.ToArray(), "*1\r\n$7\r\nMONITOR\r\n"u8.ToArray(), "+1.5 [0 a:1] \"x\"\r\n"u8.ToArray(),
        "\0"u8.ToArray(), "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n"u8.ToArray(), "*1\r\n$4\r\nSYNC\r\n"u8.ToArray(),
        "*2\r\n$4\r\nHGET\r\n"u8.ToArray(),
    ];

    [Fact]
    public void MutatedExchanges()
    {
        var random = new Random(20261127);
        var sink = new FuzzRun.Sink(SpanAttribute.Name, 40);
        var options = new RedisOptions { RequestTimeout = TimeSpan.FromMilliseconds(1), MaxPipelined = 4 };
        var redis = new RedisProtocol(options, sink);
        var buffer = new byte[2048];
        var run = new FuzzRun(redis, redis.Buffers, sink)
        {
            BuffersOfOne = 12,
            Flags = static random => random.Next(3) == 0 ? SocketEventFlags.None : SocketEventFlags.Fresh,
        };
        var spans = run.Play(Exchanges, random, wire => Play(Cases[random.Next(Cases.Length)], wire, random, buffer));
        Assert.InRange(spans.Emitted, Exchanges / 2, 4L * Exchanges);
    }

    [Fact]
    public void NothingIsAllocatedPerCommand()
    {
        var redis = new RedisProtocol(new RedisOptions { RequestTimeout = TimeSpan.FromHours(1) }, new QuietSink());
        var tracer = new Tracer(new TracerOptions(), redis);
        var commands = Enumerable.Range(0, 50).Select(i => RedisRig.Command("SET", $"key{i}", "v", "EX", "9"));
        var request = Encoding.ASCII.GetBytes(string.Concat(commands));
        var reply = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("+OK\r\n", 50)));
        uint received = 1, sent = 1;
        Exchange(100);
        Assert.Equal(0, Allocation.Least(_ => Exchange(400)));
        Assert.Equal(105_000, redis.Count().Emitted);

        void Exchange(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Write(tracer, request, ref received, sent, SocketDirection.Receive);
                Write(tracer, reply, ref sent, received, SocketDirection.Send);
            }
        }
    }

    private static void Write(Tracer tracer, byte[] data, ref uint position, uint opposite, SocketDirection direction)
    {
        var e = new SocketEvent
        {
            Kind = SocketEventKind.Data, Connection = 1, Direction = direction, Sequence = position, Opposite = opposite,
            Length = (uint)data.Length, Captured = (ushort)data.Length, Time = 1_000_000UL + position, Protocol = ProtocolId.Redis,
            Flags = SocketEventFlags.Fresh,
        };
        position += (uint)data.Length;
        tracer.OnSocketEvent(in e, data);
    }

    private static (char From, byte[] Data)[] Case(params string[] turns) =>
        [.. turns.Select((t, i) => (i % 2 == 0 ? '<' : '>', Encoding.ASCII.GetBytes(t)))];

    private static void Play((char From, byte[] Data)[] steps, Wire wire, Random random, byte[] buffer)
    {
        foreach (var (from, data) in steps)
        {
            if (data.Length == 0)
            {
                continue;
            }

            data.CopyTo(buffer, 0);
            var length = random.Next(2) == 0 ? Mutations.Apply(buffer, data.Length, Fragments, random) : data.Length;
            var direction = from == '<' == (random.Next(60) != 0) ? SocketDirection.Receive : SocketDirection.Send;
            var cut = random.Next(4) == 0 ? random.Next(length) : 0;
            wire.Unwalked = random.Next(8) == 0 ? (uint)random.Next(300) : 0;
            Mutations.Write(wire, direction, buffer.AsSpan(0, cut), random);
            Mutations.Write(wire, direction, buffer.AsSpan(cut, length - cut), random);
        }
    }

    private sealed class QuietSink : ISpanSink
    {
        public void OnSpan(in SpanData span)
        {
        }
    }
}

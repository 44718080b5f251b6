using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Sql;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>Mutated exchanges: no exception, no growth, and every count agrees; and none of them allocates.</summary>
public class SqlProtocolFuzzTests
{
    private const int Exchanges = 300_000;

    private static readonly byte[][] Requests =
    [
        Bytes(SqlRig.Command(3, "SELECT a FROM b WHERE c = 'x'")), Bytes(SqlRig.Command(3, "UPDATE a SET b = 1; DELETE FROM c")),
        Bytes(SqlRig.Command(14, "")), Bytes("\u0002\0sinsert into a values (1, 2, 3)"),
        Bytes(SqlRig.Command(3, "INSERT INTO a VALUES ('" + new string('v', 200) + "')")),
    ];

    private static readonly byte[][] Responses = [Bytes("ok"), Bytes(SqlRig.Packet(1, "CREATE TABLE a (b int)")), Bytes("\0")];

    private static readonly byte[][] Fragments =
        [Bytes("SELECT "), Bytes(" FROM "), Bytes("\0"), Bytes("'"), Bytes("\n"), Bytes("WITH a AS ("), Bytes(";"), Bytes("\u0003")];

    [Fact]
    public void MutatedExchanges()
    {
        var random = new Random(20261127);
        var sink = new FuzzRun.Sink(SpanAttribute.Name, 255);
        var limits = new LedgerOptions { RequestTimeout = TimeSpan.FromMilliseconds(2) };
        var sql = new SqlProtocol(new SqlOptions { Ledger = limits, Quiet = TimeSpan.FromMilliseconds(1) }, sink);
        var buffer = new byte[2048];
        var run = new FuzzRun(sql, sql.Buffers, sink)
        {
            BuffersOfOne = 2,
            TickEvery = 1,
            Flags = static random =>
                random.Next(3) == 0 ? SocketEventFlags.Accepted : SocketEventFlags.Accepted | SocketEventFlags.Fresh,
        };
        var spans = run.Play(Exchanges, random, wire =>
        {
            for (var turn = random.Next(4); turn >= 0; turn--)
            {
                Write(wire, SocketDirection.Receive, Requests[random.Next(Requests.Length)], buffer, random);
                Write(wire, SocketDirection.Send, Responses[random.Next(Responses.Length)], buffer, random);
            }
        });
        Assert.InRange(spans.Emitted, Exchanges / 2, 4L * Exchanges);
    }

    [Fact]
    public void NothingIsAllocatedPerStatement()
    {
        var sql = new SqlProtocol(new SqlOptions(), new Quiet());
        var tracer = new Tracer(new TracerOptions(), sql.Buffers, new NoVerdicts(), sql);
        uint received = 1, sent = 1;
        Exchange(1000);
        Assert.Equal(0, Allocation.Least(_ => Exchange(1000)));
        Assert.Equal(5999, sql.Count().Emitted);

        void Exchange(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Send(tracer, Requests[0], ref received, sent, SocketDirection.Receive);
                Send(tracer, Responses[0], ref sent, received, SocketDirection.Send);
            }
        }
    }

    private static void Send(Tracer tracer, byte[] data, ref uint position, uint opposite, SocketDirection direction)
    {
        var e = new SocketEvent
        {
            Kind = SocketEventKind.Data, Connection = 1, Direction = direction, Sequence = position, Opposite = opposite,
            Length = (uint)data.Length, Captured = (ushort)data.Length, Time = 1_000_000UL + position, Flags = SocketEventFlags.Accepted,
        };
        position += (uint)data.Length;
        tracer.OnSocketEvent(in e, data);
    }

    private static void Write(Wire wire, SocketDirection direction, byte[] data, byte[] buffer, Random random)
    {
        data.CopyTo(buffer, 0);
        var length = random.Next(2) == 0 ? Mutations.Apply(buffer, data.Length, Fragments, random) : data.Length;
        var cut = random.Next(4) == 0 ? random.Next(length) : 0;
        Mutations.Write(wire, direction, buffer.AsSpan(0, cut), random);
        Mutations.Write(wire, direction, buffer.AsSpan(cut, length - cut), random);
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>Checks nothing: what an assertion allocates, before the runtime has compiled it well, would count.</summary>
    private sealed class Quiet : ISpanSink
    {
        public void OnSpan(in SpanData span)
        {
        }
    }
}

using System.Globalization;
using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Postgres;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;
using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>What thousands of connections keep: never more than the budget, and texts are shortened before anything is lost.</summary>
public class PostgresMemoryTests : ISpanSink
{
    private const long Budget = 4 << 20;

    private static readonly string Columns = string.Join(", ", Enumerable.Range(0, 200).Select(i => $"column_{i:d3}"));

    private readonly BufferPool buffers = new(Budget);
    private readonly PostgresProtocol postgres;
    private readonly Tracer tracer;
    private readonly Dictionary<ulong, Wire> wires = [];
    private readonly List<string> texts = [];

    public PostgresMemoryTests()
    {
        postgres = new PostgresProtocol(new PostgresOptions { MaxStatements = 4096 }, this, buffers);
        tracer = new Tracer(new TracerOptions(), buffers, new NoVerdicts(), postgres);
    }

    /// <summary>Statements that wait for their response are cut when memory gets tight, and so are later ones.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LongStatementsAreShortenedBeforeAnythingIsLost(bool isPrepared)
    {
        const ulong Connections = 1000;
        var text = $"select {Columns} from orders where a = 'secret'";
        for (ulong id = 1; id <= Connections; id++)
        {
            Begin(id);

            // Statements that differ, or there would be one text for all.
            var sql = text + string.Create(CultureInfo.InvariantCulture, $" and b{id} = 1");
            wires[id].Receive(Latin1(isPrepared ? [.. Parse("p", sql), .. Bind("", "p"), .. Execute(""), .. Sync] : Query(sql)));
            Assert.InRange(buffers.Used, 0, Budget);
        }

        Assert.Equal(0, postgres.Count().Lost);
        byte[] before = isPrepared ? [.. ParseComplete, .. BindComplete] : [];
        foreach (var wire in wires.Values)
        {
            wire.Send(Latin1([.. before, .. Complete("SELECT 1"), .. Ready()]));
        }

        Assert.Equal((int)Connections, texts.Count);
        var shown = text[..157] + "…";
        var whole = text.Replace("'secret'", "?", StringComparison.Ordinal);
        Assert.Equal((int)Connections, texts.Count(t => t == shown || t.StartsWith(whole, StringComparison.Ordinal)));
        Assert.InRange(texts.Count(t => t == shown), 500, 999);
        AssertEmptyAfterClosing();
    }

    /// <summary>Prepared statements that nobody executes are texts too.</summary>
    [Fact]
    public void PreparedStatementsStayWithinTheBudget()
    {
        for (ulong id = 1; id <= 300; id++)
        {
            Begin(id);
            for (var n = 0; n < 30; n++)
            {
                var sql = string.Create(CultureInfo.InvariantCulture, $"select {Columns} from t{id}_{n}");
                wires[id].Receive(Latin1([.. Parse($"s{n}", sql), .. Sync]));
                wires[id].Send(Latin1([.. ParseComplete, .. Ready()]));
                Assert.InRange(buffers.Used, 0, Budget);
            }
        }

        AssertEmptyAfterClosing();
    }

    /// <summary>Statements of which the end does not come.</summary>
    [Fact]
    public void UnfinishedMessagesStayWithinTheBudget()
    {
        var message = Query(new string('x', 100_000));
        for (ulong id = 1; id <= 1500; id++)
        {
            Begin(id);
            wires[id].Receive(Latin1(message[..4000]));
            wires[id].Receive(Latin1(message[4000..8000]));
            Assert.InRange(buffers.Used, 0, Budget);
        }

        Assert.Equal(0, tracer.Count().Single(place => place is { Place: "tracing", Unit: "connections" }).Lost);
        AssertEmptyAfterClosing();
    }

    /// <summary>What was cut never comes together again with what follows it: a literal would look like what is outside of one.</summary>
    [Fact]
    public void AStatementThatWasCutWhileItCameEndsThere()
    {
        Begin(1);
        var message = Query("select a from t where b = '" + new string('x', 3000) + "' and c = 'secret' and d = 1");
        wires[1].Receive(Latin1(message[..500]));
        buffers.Charge((int)(Budget * 5 / 8));
        wires[1].Receive(Latin1(message[500..1000]));
        buffers.Refund((int)(Budget * 5 / 8));
        wires[1].Receive(Latin1(message[1000..]));
        wires[1].Send(Latin1([.. Complete("SELECT 1"), .. Ready()]));
        Assert.Equal(["select a from t where b = ?"], texts);
        AssertEmptyAfterClosing();
    }

    /// <summary>Connections that have the same statement share its text, short as it is.</summary>
    [Fact]
    public void ShortTextsAreShared()
    {
        buffers.Charge((int)(Budget * 5 / 8));
        for (ulong id = 1; id <= 50; id++)
        {
            Begin(id);
            wires[id].Receive(Latin1([.. Parse("p", $"select {Columns} from orders"), .. Sync]));
            wires[id].Send(Latin1([.. ParseComplete, .. Ready()]));
        }

        Assert.Equal(1, postgres.Texts.Shared);
        Assert.Equal(1, buffers.Outstanding);
        buffers.Refund((int)(Budget * 5 / 8));

        // With room again the next one has all of it; those that are cut stay cut.
        wires[1].Receive(Latin1([.. Parse("q", $"select {Columns} from orders"), .. Bind("", "q"), .. Execute(""), .. Sync]));
        wires[1].Send(Latin1([.. ParseComplete, .. BindComplete, .. Complete("SELECT 1"), .. Ready()]));
        wires[2].Receive(Latin1([.. Bind("", "p"), .. Execute(""), .. Sync]));
        wires[2].Send(Latin1([.. BindComplete, .. Complete("SELECT 1"), .. Ready()]));
        Assert.Equal([$"select {Columns} from orders", $"select {Columns}"[..157] + "…"], texts);
        AssertEmptyAfterClosing();
    }

    void ISpanSink.OnSpan(in SpanData span) => texts.Add(Encoding.UTF8.GetString(span.Values.Text(SpanAttribute.DbQueryText)));

    private static string Latin1(byte[] data) => Encoding.Latin1.GetString(data);

    private void Begin(ulong id)
    {
        wires[id] = new Wire(tracer, id)
        {
            Flags = SocketEventFlags.Fresh, Named = ProtocolId.Postgres, Capture = static length => length,
        };
        wires[id].Receive(Latin1(StartUp("user", "app")));
        wires[id].Send(Latin1(Welcome));
    }

    private void AssertEmptyAfterClosing()
    {
        foreach (var wire in wires.Values)
        {
            wire.Close();
        }

        Assert.Equal((0, 0L, 0), (buffers.Outstanding, buffers.Used, tracer.Connections));
        Assert.Equal(0, postgres.Count().Held);
        Assert.All(tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
    }
}

using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Postgres;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>Plays the tracer for one connection at a time: joins the first bytes of a direction, asks the protocol, and delivers.</summary>
/// <param name="isServer">The traced process serves.</param>
/// <param name="options">Settings of the protocol.</param>
internal sealed class PostgresRig(bool isServer = true, PostgresOptions? options = null) : ISpanSink
{
    private readonly List<(SocketDirection Direction, byte[] Data, long Length, long Time)> waiting = [];
    private PostgresProtocol? protocol;
    private Connection connection = new();
    private Conversation? conversation;
    private bool isForeign, sawAny;

    public PostgresProtocol Protocol => protocol ??= new PostgresProtocol(options ?? new PostgresOptions(), this, Buffers);

    public BufferPool Buffers { get; } = new();

    /// <summary>Spans as PostgresCase has them.</summary>
    public List<string> Spans { get; } = [];

    public List<(string Name, string Operation, string Collection, string Procedure)> Names { get; } = [];

    public List<(long Start, long Handler, long End)> Times { get; } = [];

    public List<SpanKind> Kinds { get; } = [];

    /// <summary>Does not note the spans, only counts them.</summary>
    public bool OnlyCounts { get; set; }

    public long Count { get; private set; }

    /// <summary>The connection began while it was watched.</summary>
    public bool IsFresh { get; set; } = true;

    /// <summary>Bytes of a larger operation that are captured at its beginning and at its end.</summary>
    public (int Whole, int Head, int Tail) Capture { get; set; } = (8191, 4096, 128);

    /// <summary>Of what was not captured, bytes in which the kernel side did not follow the frames.</summary>
    public uint Unwalked { get; set; }

    public long Time { get; set; } = 1000;

    public bool HasConversation => conversation is not null;

    public void Client(string data) => Client(Encoding.Latin1.GetBytes(data));

    public void Client(ReadOnlySpan<byte> data) => Data(isServer ? SocketDirection.Receive : SocketDirection.Send, data);

    public void Server(string data) => Server(Encoding.Latin1.GetBytes(data));

    public void Server(ReadOnlySpan<byte> data) => Data(isServer ? SocketDirection.Send : SocketDirection.Receive, data);

    public void Play(PostgresStep step, ReadOnlySpan<byte> data)
    {
        if (step.From == '>')
        {
            Client(data);
        }
        else
        {
            Server(data);
        }
    }

    /// <summary>Bytes whose event was lost.</summary>
    public void Miss(bool fromClient, int length)
    {
        Time += 10;
        conversation?.OnGap(fromClient == isServer ? SocketDirection.Receive : SocketDirection.Send, 0, (uint)length, Time);
        sawAny = true;
        Settle();
    }

    public void Tick(long now) => Protocol.Tick(now);

    public void Shorten() => conversation?.OnPressure();

    public void Close()
    {
        Time += 10;
        conversation?.OnClose(Time);
        End();
    }

    public void Stale()
    {
        conversation?.OnStale();
        End();
    }

    public void Evict()
    {
        conversation?.OnEvict();
        End();
    }

    public void AssertSettled()
    {
        Assert.Equal(0, Buffers.Outstanding);
        Assert.Equal(0, Buffers.Used);
        Assert.Equal(0, Protocol.Texts.Shared);
        var count = Protocol.Count();
        Assert.True(count.Balanced, count.ToString());
        Assert.Equal(0, count.Held);
        Assert.Equal(Count, count.Emitted);
    }

    public void OnSpan(in SpanData span)
    {
        Count++;
        if (span.Start <= 0 || span.HandlerStart < span.Start || span.End < span.HandlerStart)
        {
            Assert.Fail($"times out of order: {span.Start} {span.HandlerStart} {span.End}");
        }

        if (OnlyCounts)
        {
            return;
        }

        Spans.Add(string.Join('|', span.Outcome, Text(in span, SpanAttribute.DbNamespace), Text(in span, SpanAttribute.DbQueryText),
            Text(in span, SpanAttribute.DbResponseStatusCode), Text(in span, SpanAttribute.ErrorType),
            span.Values.Number(SpanAttribute.DbResponseReturnedRows, -1) is >= 0 and var rows ? rows : ""));
        Names.Add((Text(in span, SpanAttribute.Name), Text(in span, SpanAttribute.DbOperationName),
            Text(in span, SpanAttribute.DbCollectionName), Text(in span, SpanAttribute.DbStoredProcedureName)));
        Times.Add((span.Start, span.HandlerStart, span.End));
        Kinds.Add(span.Kind);
        Assert.Equal("postgresql", Text(in span, SpanAttribute.DbSystemName));
        Assert.Equal(ProtocolId.Postgres, span.Protocol);
    }

    private static string Text(in SpanData span, SpanAttribute attribute) => Encoding.Latin1.GetString(span.Values.Text(attribute));

    /// <summary>An operation of the traced process.</summary>
    private void Data(SocketDirection direction, ReadOnlySpan<byte> data)
    {
        Time += 10;
        if (isForeign || data.IsEmpty)
        {
            return;
        }

        if (conversation is not null)
        {
            Deliver(direction, data, data.Length, Time);
        }
        else
        {
            Recognise(direction, data);
        }
    }

    private void Recognise(SocketDirection direction, ReadOnlySpan<byte> data)
    {
        waiting.Add((direction, data.ToArray(), data.Length, Time));
        var first = waiting.Where(w => w.Direction == direction).SelectMany(w => w.Data).Take(Math.Max(64, data.Length)).ToArray();
        var opening = new Opening
        {
            Data = first,
            Length = waiting.Where(w => w.Direction == direction).Sum(w => w.Length),
            Direction = direction,
            IsFresh = IsFresh && !sawAny && waiting.TrueForAll(w => w.Direction == direction),
        };
        var confirmation = Protocol.Confirm(in opening);
        if (confirmation == Confirmation.No || (confirmation == Confirmation.Undecided && opening.Length > 64))
        {
            sawAny = true;
            waiting.Clear();
        }
        else if (confirmation == Confirmation.Yes)
        {
            sawAny = true;
            conversation = Protocol.Open(connection);
            foreach (var w in waiting.ToArray())
            {
                if (conversation is not null)
                {
                    Deliver(w.Direction, w.Data, w.Length, w.Time);
                }
            }

            waiting.Clear();
        }
    }

    private void Deliver(SocketDirection direction, ReadOnlySpan<byte> data, long length, long time)
    {
        var isWhole = length <= Capture.Whole;
        var seen = isWhole ? data : data[..Math.Min(Capture.Head, data.Length)];
        var segment = new Segment
        {
            Data = seen,
            Unseen = length - seen.Length,
            Unwalked = Unwalked,
            Tail = isWhole ? default : data[^Math.Min(data.Length - seen.Length, Capture.Tail)..],
            Direction = direction,
            Time = time,
            Pid = 42,
            Tid = 43,
        };
        conversation!.OnData(ref segment);
        Settle();
    }

    private void Settle()
    {
        if (conversation is { IsIdle: true })
        {
            conversation.Release();
            conversation = null;
            isForeign = connection.Protocol == ProtocolId.Foreign;
        }
    }

    /// <summary>The next bytes are those of another connection.</summary>
    private void End()
    {
        conversation?.Release();
        conversation = null;
        connection = new Connection();
        waiting.Clear();
        isForeign = sawAny = false;
    }
}

using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Sql;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>Keeps spans as lines: outcome|name|text|collection|error. What every span has is checked.</summary>
internal sealed class SqlLog : ISpanSink
{
    public List<string> Lines { get; } = [];

    public List<(long Start, long Handler, long End)> Times { get; } = [];

    public SpanKind Kind { get; private set; }

    public void OnSpan(in SpanData span)
    {
        var values = span.Values;
        Assert.Equal(ProtocolId.Sql, span.Protocol);
        Assert.Equal("other_sql", Text(values, SpanAttribute.DbSystemName));
        Assert.Equal("protocol", Text(values, SpanAttribute.Guess));
        Assert.Equal(Text(values, SpanAttribute.Name), Text(values, SpanAttribute.DbQuerySummary));
        Assert.True(span.Start > 0 && span.HandlerStart >= span.Start && span.End >= span.HandlerStart, "times out of order");
        Lines.Add($"{span.Outcome}|{Text(values, SpanAttribute.Name)}|{Text(values, SpanAttribute.DbQueryText)}|"
            + $"{Text(values, SpanAttribute.DbCollectionName)}|{Text(values, SpanAttribute.ErrorType)}");
        Times.Add((span.Start, span.HandlerStart, span.End));
        Kind = span.Kind;
    }

    private static string Text(SpanValues values, SpanAttribute attribute) => Encoding.Latin1.GetString(values.Text(attribute));
}

/// <summary>A tracer that looks for SQL, and one connection, on which the traced process serves or is the client.</summary>
internal sealed class SqlRig
{
    private readonly SocketDirection requests;

    public SqlRig(bool isServer = true, bool isFresh = true, SqlOptions? options = null)
    {
        requests = isServer ? SocketDirection.Receive : SocketDirection.Send;
        Sql = new SqlProtocol(options ?? new SqlOptions(), Log);
        Verdicts = new VerdictLog();
        Tracer = new Tracer(new TracerOptions(), Sql.Buffers, Verdicts, Sql);
        Wire = new Wire(Tracer)
        {
            Flags = (isFresh ? SocketEventFlags.Fresh : SocketEventFlags.None)
                | (isServer ? SocketEventFlags.Accepted : SocketEventFlags.None),
            Capture = static length => Math.Min(length, 512),
        };
    }

    public SqlLog Log { get; } = new();

    public SqlProtocol Sql { get; }

    public VerdictLog Verdicts { get; }

    public Tracer Tracer { get; }

    public Wire Wire { get; }

    /// <summary>A command of MySQL's protocol: length, number in the sequence, code, text (MySQL internals, "Protocol::Packet").</summary>
    public static string Command(int code, string text) => Packet(0, (char)code + text);

    /// <summary>A packet of that protocol.</summary>
    public static string Packet(int number, string payload) =>
        $"{(char)(payload.Length & 255)}{(char)((payload.Length >> 8) & 255)}{(char)(payload.Length >> 16)}{(char)number}{payload}";

    /// <summary>Bytes from the client (&gt;) or the server (&lt;), by one operation.</summary>
    public SqlRig Raw(char from, string bytes)
    {
        Wire.Data(Direction(from), Encoding.Latin1.GetBytes(bytes));
        return this;
    }

    public SocketDirection Direction(char from) => from == '>' ? requests : StreamOrder.Other(requests);

    /// <summary>Closes the connection: nothing is left and the sums hold.</summary>
    public void Close()
    {
        Wire.Close();
        Assert.All(Tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
        Assert.Equal(0, Tracer.Connections);
        Assert.Equal(0, Sql.Buffers.Outstanding);
        Assert.Equal(0, Sql.Count().Held);
        Assert.Equal(0, Sql.Count().Lost);
        Assert.Equal(Log.Lines.Count, Sql.Count().Emitted);
    }

    /// <summary>Keeps what the kernel side is told.</summary>
    internal sealed class VerdictLog : IVerdicts
    {
        public List<ProtocolId> Told { get; } = [];

        public void Tell(ulong connection, ProtocolId protocol) => Told.Add(protocol);
    }
}

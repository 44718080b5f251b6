using System.Globalization;
using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Redis;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>
/// Keeps spans as lines: outcome|database|operation|text|status|version of RESP, then "batch n" and "procedure name" where there are some.
/// What every span has is checked.
/// </summary>
internal sealed class RedisLog : ISpanSink
{
    public List<string> Lines { get; } = [];

    public List<(long Start, long Handler, long End)> Times { get; } = [];

    public SpanKind Kind { get; private set; }

    public void OnSpan(in SpanData span)
    {
        var values = span.Values;
        var operation = Text(values, SpanAttribute.DbOperationName);
        var status = Text(values, SpanAttribute.DbResponseStatusCode);
        var error = Text(values, SpanAttribute.ErrorType);
        var line = $"{span.Outcome}|{Text(values, SpanAttribute.DbNamespace)}|{operation}|{Text(values, SpanAttribute.DbQueryText)}|"
            + $"{status}|{Text(values, SpanAttribute.NetworkProtocolVersion)}";
        if (values.Number(SpanAttribute.DbOperationBatchSize, -1) is >= 0 and var size)
        {
            line += string.Create(CultureInfo.InvariantCulture, $"|batch {size}");
        }

        if (Text(values, SpanAttribute.DbStoredProcedureName) is { Length: > 0 } procedure)
        {
            line += $"|procedure {procedure}";
        }

        if (error != status)
        {
            line += $"|{error}";
        }

        Assert.Equal(operation.Length > 0 ? operation : "redis", Text(values, SpanAttribute.Name));
        Assert.Equal("redis", Text(values, SpanAttribute.DbSystemName));
        Assert.Equal(ProtocolId.Redis, span.Protocol);
        Assert.True(span.Start > 0 && span.HandlerStart >= span.Start && span.End >= span.HandlerStart, "times out of order");
        Lines.Add(line);
        Times.Add((span.Start, span.HandlerStart, span.End));
        Kind = span.Kind;
    }

    private static string Text(SpanValues values, SpanAttribute attribute) => Encoding.Latin1.GetString(values.Text(attribute));
}

/// <summary>A tracer with the Redis protocol and one connection, on which the traced process serves or is the client.</summary>
internal sealed class RedisRig
{
    private readonly SocketDirection requests;

    public RedisRig(bool isFresh = true, bool isServer = true, RedisOptions? options = null)
    {
        requests = isServer ? SocketDirection.Receive : SocketDirection.Send;
        Redis = new RedisProtocol(options ?? new RedisOptions(), Log);
        Tracer = new Tracer(new TracerOptions(), Redis);
        Wire = new Wire(Tracer)
        {
            Named = ProtocolId.Redis,
            Flags = isFresh ? SocketEventFlags.Fresh : SocketEventFlags.None,
            Capture = static length => length,
        };
    }

    public RedisLog Log { get; } = new();

    public RedisProtocol Redis { get; }

    public Tracer Tracer { get; }

    public Wire Wire { get; }

    /// <summary>An array of bulk strings, as clients send it.</summary>
    public static string Command(params string[] words) =>
        $"*{words.Length}\r\n" + string.Concat(words.Select(w => $"${w.Length}\r\n{w}\r\n"));

    /// <summary>The client sends commands, each one line of words.</summary>
    public RedisRig Send(params string[] commands) => Raw('>', string.Concat(commands.Select(c => Command(c.Split(' ')))));

    /// <summary>The server sends bytes.</summary>
    public RedisRig Reply(string bytes) => Raw('<', bytes);

    public RedisRig Raw(char from, string bytes)
    {
        Write(from, Encoding.Latin1.GetBytes(bytes));
        return this;
    }

    public void Write(char from, ReadOnlySpan<byte> bytes, int? captured = null) => Wire.Data(Direction(from), bytes, captured);

    public SocketDirection Direction(char from) => from == '>' ? requests : StreamOrder.Other(requests);

    /// <summary>An operation whose event was lost.</summary>
    public RedisRig Miss(char from, string bytes)
    {
        Wire.Miss(Direction(from), bytes.Length);
        return this;
    }

    /// <summary>Closes the connection: nothing is left and the sums hold.</summary>
    public void Close()
    {
        Wire.Close();
        AssertSettled();
    }

    public void AssertSettled()
    {
        AssertBalanced();
        Assert.Equal(0, Tracer.Connections);
        Assert.Equal(0, Redis.Buffers.Outstanding);
        Assert.Equal(0, Redis.Count().Held);
        Assert.Equal(Log.Lines.Count, Redis.Count().Emitted);
    }

    public void AssertBalanced() => Assert.All(Tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
}

using System.Text;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary>
/// What is the same in the JSON of every span: names, marks, and what there are only a few of. Made once, so that a span costs one copy
/// per value and one per piece between two values.
/// </summary>
internal sealed class SpanPieces
{
    private readonly bool indent;
    private readonly byte[][] heads, outcomes, names, sources;

    /// <param name="indent">One field per line, two blanks before it for each level.</param>
    internal SpanPieces(bool indent)
    {
        this.indent = indent;
        heads = new byte[2 * ProtocolNames.Count][];
        for (var i = 0; i < heads.Length; i++)
        {
            heads[i] = Head((Kernel.ProtocolId)(i >> 1), (i & 1) == 0 ? SpanKind.Server : SpanKind.Client);
        }

        outcomes = new byte[(int)SpanOutcome.Unfinished + 1][];
        for (var outcome = SpanOutcome.Complete; outcome <= SpanOutcome.Unfinished; outcome++)
        {
            outcomes[(int)outcome] = Bytes($"\"{Field("outcome")}\"{Encoding.UTF8.GetString(StreamNames.Of(outcome))}\"");
        }

        names = [.. SpanAttributes.All.Select(row => Bytes(
            row.IsEnvelope ? $"{Field(row.ShortName!)}\""
            : indent ? $",\n    \"{row.Name}\": {(row.IsNumber ? "" : "\"")}"
            : $",\"{row.Name}\":{(row.IsNumber ? "" : "\"")}"))];
        Start = Bytes($"{Field("start")}\"");
        HandlerStart = Bytes($"Z\"{Field("handlerStart")}\"");
        End = Bytes($"Z\"{Field("end")}\"");
        Duration = Bytes($"Z\"{Field("durationUSec")}");
        HandlerDuration = Bytes(Field("handlerDurationUSec"));
        ClientAddress = Bytes($"{Field("clientAddress")}\"");
        ClientPort = Bytes($"\"{Field("clientPort")}");
        ServerAddress = Bytes($"{Field("serverAddress")}\"");
        ServerPort = Bytes($"\"{Field("serverPort")}");
        PeerAddress = Bytes($"{Field("peerAddress")}\"");
        PeerPort = Bytes($"\"{Field("peerPort")}");
        Tid = Bytes(Field("tid"));
        NetworkNamespace = Bytes(Field("networkNamespace"));
        Connection = Bytes($"{Field("connection")}\"");
        TraceId = Bytes($"{Field("traceId")}\"");
        SpanId = Bytes($"\"{Field("spanId")}\"");
        ParentId = Bytes($"\"{Field("parentId")}\"");
        TraceFlags = Bytes($"\"{Field("traceFlags")}");
        sources = new byte[(int)ParentSource.Agreement + 1][];
        for (var source = ParentSource.None; source <= ParentSource.Agreement; source++)
        {
            sources[(int)source] = source == ParentSource.None ? []
                : Bytes($"\"{Field("parentSource")}\"{Encoding.UTF8.GetString(StreamNames.Of(source))}");
        }

        Attributes = Bytes(Field("attributes") + "{");
        AttributesEnd = Bytes(indent ? "\n  }\n}\n" : "}}\n");
    }

    /// <summary>The piece that stands before the value of that name: it ends the value before and begins this one.</summary>
    internal readonly byte[] Start, HandlerStart, End, Duration, HandlerDuration, ClientAddress, ClientPort, ServerAddress, ServerPort,
        PeerAddress, PeerPort, Tid, NetworkNamespace, Connection, TraceId, SpanId, ParentId, TraceFlags, Attributes;

    /// <summary>The end of the attributes, of the span and of its line.</summary>
    internal readonly byte[] AttributesEnd;

    /// <summary>From the start of the object to where the name of the span is written.</summary>
    internal ReadOnlySpan<byte> Head(in Spans.SpanData span) =>
        heads[((int)span.Protocol < ProtocolNames.Count ? (int)span.Protocol << 1 : 0) | (span.Kind == SpanKind.Client ? 1 : 0)];

    /// <summary>The end of the name and the outcome.</summary>
    internal ReadOnlySpan<byte> Outcome(SpanOutcome outcome) => outcomes[(int)outcome];

    /// <summary>The end of the parent's identity and how it was found, without the quotation mark behind it; empty of none.</summary>
    internal ReadOnlySpan<byte> Source(ParentSource source) => sources[(int)source];

    /// <summary>The comma, the name, the colon and, of a text, the quotation mark.</summary>
    internal ReadOnlySpan<byte> Name(SpanAttribute attribute) => names[(int)attribute];

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private string Field(string name) => indent ? $",\n  \"{name}\": " : $",\"{name}\":";

    private byte[] Head(Kernel.ProtocolId protocol, SpanKind kind) => Bytes(
        (indent ? "{\n  \"type\": " : "{\"type\":") + $"\"span\"{Field("kind")}\"{Encoding.UTF8.GetString(StreamNames.Of(kind))}\""
        + $"{Field("protocol")}\"{SpanProtocols.Of(protocol).Name}\"{Field(SpanAttributes.Of(SpanAttribute.Name).ShortName!)}\"");
}

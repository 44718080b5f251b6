using System.Buffers.Binary;
using System.Numerics;
using Beyla.Agent.Configuration;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Writes spans as OpenTelemetry has them (opentelemetry/proto/trace/v1/trace.proto, message Span). Attributes of the table keep their
/// names; <see cref="SpanEnds"/> adds those that say who spoke with whom. One thread; does not allocate per span.
/// </summary>
public sealed class SpanEncoder
{
    private const int Attributes = 9, MaximumCount = 128;

    // SpanKind: server 2, client 3. Status code: error 2. SpanFlags: whether a parent is remote is known, and that it is.
    private const uint FlagRemoteIsKnown = 0x100, FlagIsRemote = 0x200;

    private static readonly byte[][] Names = [.. SpanAttributes.All.Select(static row => AttributeWriter.Encode(row.Name))];

    private readonly SpanEnds ends;
    private readonly TraceIds ids = new();
    private readonly ulong attributes;
    private readonly int limit, countLimit;
    private readonly bool hasErrorType;

    /// <param name="selection">Which attributes are sent; all that are by default where it says nothing.</param>
    /// <param name="limit">Longest text of an attribute in characters; what is longer is cut.</param>
    /// <param name="countLimit">Attributes of a span at most; the last ones are dropped.</param>
    public SpanEncoder(AttributeSelection selection, int limit = int.MaxValue, int countLimit = int.MaxValue)
    {
        (this.limit, this.countLimit, ends) = (limit, countLimit, new SpanEnds(limit, selection));
        hasErrorType = selection.HasSpan(SpanAttributes.Of(SpanAttribute.ErrorType).Name, isDefault: true);
        for (var i = 0; i < SpanAttributes.Count; i++)
        {
            attributes |= selection.HasSpan(SpanAttributes.All[i].Name, (Default >> i & 1) != 0) ? 1ul << i : 0;
        }
    }

    /// <summary>
    /// What is sent unless the configuration says otherwise: all but attributes that the conventions have as opt-in, and the Host header,
    /// which is server.address.
    /// </summary>
    public static ulong Default { get; } = SpanAttributes.OutsideEnvelope & ~(
        (1ul << (int)SpanAttribute.HttpRequestHeaderHost) | (1ul << (int)SpanAttribute.HttpRequestBodySize)
        | (1ul << (int)SpanAttribute.HttpResponseBodySize) | (1ul << (int)SpanAttribute.DbResponseReturnedRows));

    /// <summary>Writes a span as a field of a message.</summary>
    public void Write(in ExportedSpan exported, ProtobufWriter writer, int field)
    {
        ref readonly var span = ref exported.Span;
        var begun = writer.Begin(field);
        Context(in span, writer);
        writer.Text(5, span.Values.Text(SpanAttribute.Name));
        writer.Number(6, span.Kind == SpanKind.Client ? 3u : 2u);
        writer.Fixed(7, (ulong)exported.Start * 1000);
        writer.Fixed(8, (ulong)exported.End * 1000);
        var first = writer.Length;
        if (hasErrorType && span.Values.Has(SpanAttribute.ErrorType))
        {
            var error = AttributeWriter.Cut(span.Values.Text(SpanAttribute.ErrorType), limit);
            AttributeWriter.Text(writer, Attributes, Names[(int)SpanAttribute.ErrorType], error);
        }

        // A client's request is told by its whole URL.
        var shown = span.Kind == SpanKind.Client && span.Values.Has(SpanAttribute.UrlPath)
            ? attributes & ~((1ul << (int)SpanAttribute.UrlPath) | (1ul << (int)SpanAttribute.UrlQuery)) : attributes;
        for (var rest = span.Values.Present & shown & SpanAttributes.OutsideEnvelope; rest != 0; rest &= rest - 1)
        {
            var attribute = (SpanAttribute)BitOperations.TrailingZeroCount(rest);
            if (span.Values.IsNumber(attribute))
            {
                AttributeWriter.Number(writer, Attributes, Names[(int)attribute], span.Values.Number(attribute, 0));
            }
            else
            {
                AttributeWriter.Text(writer, Attributes, Names[(int)attribute], AttributeWriter.Cut(span.Values.Text(attribute), limit));
            }
        }

        ends.Write(in span, writer, Attributes);
        // As many as no span has need no look.
        if (countLimit < MaximumCount)
        {
            Drop(first, writer);
        }

        if (span.Values.Has(SpanAttribute.ErrorType))
        {
            var status = writer.Begin(15);
            writer.Number(3, 2);
            writer.End(status);
        }

        writer.End(begun);
    }

    /// <summary>Takes attributes beyond the limit back, and says how many they were (field 10).</summary>
    private void Drop(int first, ProtobufWriter writer)
    {
        var rest = writer.Written[first..];
        var (count, end) = (0, writer.Length);
        while (!rest.IsEmpty)
        {
            if (count++ == countLimit)
            {
                end = writer.Length - rest.Length;
            }

            // Each one is its tag, the length of what follows, and that.
            if (!ProtobufReader.TryVarint(ref rest, out _) || !ProtobufReader.TryVarint(ref rest, out var length))
            {
                return;
            }

            rest = rest[(int)length..];
        }

        if (count > countLimit)
        {
            writer.Cut(end);
            writer.Number(10, (ulong)(count - countLimit));
        }
    }

    private void Context(in SpanData span, ProtobufWriter writer)
    {
        var context = span.Context;
        if (!context.HasTrace)
        {
            ids.Begin(ref context); // without a trace it would be refused
        }

        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(id, context.TraceHigh);
        BinaryPrimitives.WriteUInt64BigEndian(id[8..], context.TraceLow);
        writer.Blob(1, id);
        BinaryPrimitives.WriteUInt64BigEndian(id, context.SpanId != 0 ? context.SpanId : ids.Next());
        writer.Blob(2, id[..8]);
        if (span.Values.Has(SpanAttribute.TraceState))
        {
            writer.Text(3, span.Values.Text(SpanAttribute.TraceState));
        }

        uint flags = context.Flags;
        if (context.ParentId != 0)
        {
            BinaryPrimitives.WriteUInt64BigEndian(id, context.ParentId);
            writer.Blob(4, id[..8]);
            // What led to a server's span is a client's, in another process; what led to a client's is in the same one.
            flags |= FlagRemoteIsKnown | (span.Kind == SpanKind.Server ? FlagIsRemote : 0);
        }

        writer.Fixed(16, flags);
    }
}

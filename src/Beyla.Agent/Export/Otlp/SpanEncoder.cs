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

    // Bytes of the length of nearly every span.
    private const int UsualLength = 2;

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
        var values = span.Values;
        var begun = writer.Begin(field, UsualLength);
        Context(in span, writer);
        writer.Text(5, values.Text(SpanAttribute.Name));
        Times(in exported, writer);
        var first = writer.Length;
        if (hasErrorType && values.Has(SpanAttribute.ErrorType))
        {
            var error = AttributeWriter.Cut(values.Text(SpanAttribute.ErrorType), limit);
            AttributeWriter.Text(writer, Attributes, Names[(int)SpanAttribute.ErrorType], error);
        }

        // A client's request is told by its whole URL.
        var shown = span.Kind == SpanKind.Client && values.Has(SpanAttribute.UrlPath)
            ? attributes & ~((1ul << (int)SpanAttribute.UrlPath) | (1ul << (int)SpanAttribute.UrlQuery)) : attributes;
        for (var rest = values.Present & shown & SpanAttributes.OutsideEnvelope; rest != 0; rest &= rest - 1)
        {
            var attribute = (SpanAttribute)BitOperations.TrailingZeroCount(rest);
            if (values.IsNumber(attribute))
            {
                AttributeWriter.Number(writer, Attributes, Names[(int)attribute], values.Number(attribute, 0));
            }
            else
            {
                AttributeWriter.Text(writer, Attributes, Names[(int)attribute], AttributeWriter.Cut(values.Text(attribute), limit));
            }
        }

        ends.Write(in span, writer, Attributes);
        // As many as no span has need no look.
        if (countLimit < MaximumCount)
        {
            Drop(first, writer);
        }

        if (values.Has(SpanAttribute.ErrorType))
        {
            var status = writer.Begin(15);
            writer.Number(3, 2);
            writer.End(status);
        }

        writer.End(begun, UsualLength);
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

        // Fields 1 and 2, as the rest of these in one go: the tag, the length, the bytes.
        var target = writer.Next(28);
        BinaryPrimitives.WriteUInt16BigEndian(target, 0x0a_10);
        BinaryPrimitives.WriteUInt64BigEndian(target[2..], context.TraceHigh);
        BinaryPrimitives.WriteUInt64BigEndian(target[10..], context.TraceLow);
        BinaryPrimitives.WriteUInt16BigEndian(target[18..], 0x12_08);
        BinaryPrimitives.WriteUInt64BigEndian(target[20..], context.SpanId != 0 ? context.SpanId : ids.Next());
        if (span.Values.Has(SpanAttribute.TraceState))
        {
            writer.Text(3, span.Values.Text(SpanAttribute.TraceState));
        }

        uint flags = context.Flags;
        if (context.ParentId != 0)
        {
            target = writer.Next(10);
            BinaryPrimitives.WriteUInt16BigEndian(target, 0x22_08);
            BinaryPrimitives.WriteUInt64BigEndian(target[2..], context.ParentId);
            // What led to a server's span is a client's, in another process; what led to a client's is in the same one.
            flags |= FlagRemoteIsKnown | (span.Kind == SpanKind.Server ? FlagIsRemote : 0);
        }

        // Field 16, fixed32.
        target = writer.Next(6);
        BinaryPrimitives.WriteUInt16BigEndian(target, 0x85_01);
        BinaryPrimitives.WriteUInt32LittleEndian(target[2..], flags);
    }

    /// <summary>The kind, a number in field 6, then start and end, fixed64 in fields 7 and 8.</summary>
    private static void Times(in ExportedSpan exported, ProtobufWriter writer)
    {
        var target = writer.Next(20);
        target[0] = 0x30;
        target[1] = exported.Span.Kind == SpanKind.Client ? (byte)3 : (byte)2;
        target[2] = 0x39;
        BinaryPrimitives.WriteUInt64LittleEndian(target[3..], (ulong)exported.Start * 1000);
        target[11] = 0x41;
        BinaryPrimitives.WriteUInt64LittleEndian(target[12..], (ulong)exported.End * 1000);
    }
}

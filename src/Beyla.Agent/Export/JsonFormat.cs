using System.Numerics;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary>
/// <c>BEYLA_TRACE_PRINTER=json</c> and <c>json_indent</c>: one object per span, as docs/stream.md has it. The fields come in the order in
/// which the reader (Beyla.Contracts) expects them first.
/// </summary>
public sealed class JsonFormat : ISpanFormat
{
    private readonly SpanPieces pieces;
    private readonly ProcessTexts processes;
    private readonly EndTexts ends;
    private readonly TimeText time = TimeText.Utc();

    /// <param name="indent">One field per line, two blanks before it; not a stream of lines any more.</param>
    public JsonFormat(bool indent = false)
    {
        pieces = new SpanPieces(indent);
        processes = new ProcessTexts(process => [Render(process, indent)]);
        ends = new EndTexts(Ends);
    }

    /// <inheritdoc/>
    public void Write(in ExportedSpan exported, ref LineWriter line)
    {
        ref readonly var span = ref exported.Span;
        var values = span.Values;
        line.Write(pieces.Head(in span));
        Text(values, SpanAttribute.Name, ref line);
        line.Write(pieces.Outcome(span.Outcome));
        if (values.Has(SpanAttribute.ErrorType))
        {
            line.Write(pieces.Name(SpanAttribute.ErrorType));
            Text(values, SpanAttribute.ErrorType, ref line);
            line.WriteByte((byte)'"');
        }

        line.Write(pieces.Start);
        time.Write(exported.Start, ref line);
        line.Write(pieces.HandlerStart);
        time.Write(exported.HandlerStart, ref line);
        line.Write(pieces.End);
        time.Write(exported.End, ref line);
        line.Write(pieces.Duration);
        line.WriteNumber(exported.Duration);
        line.Write(pieces.HandlerDuration);
        line.WriteNumber(exported.HandlerDuration);
        ends.Write(in exported, ref line);
        line.Write(pieces.Tid);
        line.WriteNumber(span.Tid);
        line.Write(pieces.NetworkNamespace);
        line.WriteNumber(span.NetworkNamespace);
        line.Write(pieces.Connection);
        line.WriteHex(span.Connection);
        line.Write(processes.Of(exported.Process)[0]);
        if (span.Context.HasTrace)
        {
            Context(in span, ref line);
        }

        Attributes(values, ref line);
    }

    private static void Text(SpanValues values, SpanAttribute attribute, ref LineWriter line) =>
        _ = Escape.Json(values.Text(attribute), SpanAttributes.Of(attribute).Limit, ref line);

    private void Ends(in ExportedSpan exported, ref LineWriter line)
    {
        ref readonly var span = ref exported.Span;
        line.Write(pieces.ClientAddress);
        line.Write(span.ClientAddress);
        line.Write(pieces.ClientPort);
        line.WriteNumber(span.ClientPort);
        line.Write(pieces.ServerAddress);
        line.Write(span.ServerAddress);
        line.Write(pieces.ServerPort);
        line.WriteNumber(span.ServerPort);
        if (span.IsClientNamed)
        {
            line.Write(pieces.PeerAddress);
            line.Write(span.PeerAddress);
            line.Write(pieces.PeerPort);
            line.WriteNumber(span.PeerPort);
        }
    }

    private void Context(in SpanData span, ref LineWriter line)
    {
        var context = span.Context;
        line.Write(pieces.TraceId);
        line.WriteIdentity(context.TraceHigh);
        line.WriteIdentity(context.TraceLow);
        line.Write(pieces.SpanId);
        line.WriteIdentity(context.SpanId);
        if (context.ParentId != 0)
        {
            line.Write(pieces.ParentId);
            line.WriteIdentity(context.ParentId);
            line.Write(pieces.Source(context.Source));
        }

        line.Write(pieces.TraceFlags);
        line.WriteNumber(context.Flags);
        if (span.Values.Has(SpanAttribute.TraceState))
        {
            line.Write(pieces.Name(SpanAttribute.TraceState));
            Text(span.Values, SpanAttribute.TraceState, ref line);
            line.WriteByte((byte)'"');
        }
    }

    /// <summary>In the order of the table; without the comma of the first one.</summary>
    private void Attributes(SpanValues values, ref LineWriter line)
    {
        line.Write(pieces.Attributes);
        var comma = 1;
        for (var rest = values.Present & SpanAttributes.OutsideEnvelope; rest != 0; rest &= rest - 1)
        {
            var attribute = (SpanAttribute)BitOperations.TrailingZeroCount(rest);
            line.Write(pieces.Name(attribute)[comma..]);
            comma = 0;
            if (values.IsNumber(attribute))
            {
                line.WriteNumber(values.Number(attribute, 0));
            }
            else
            {
                Text(values, attribute, ref line);
                line.WriteByte((byte)'"');
            }
        }

        line.Write(pieces.AttributesEnd);
    }

    /// <summary>The fields of a process, behind the quotation mark that ends the value before them.</summary>
    private static byte[] Render(ProcessInfo process, bool indent)
    {
        var line = new LineWriter(new byte[SpanLimits.Line]);
        line.WriteByte((byte)'"');
        var json = new JsonLine(indent, line);
        json.Number("pid"u8, process.Pid);
        if (process.Executable.Length > 0)
        {
            json.Captured("executable"u8, process.Executable, SpanLimits.Executable);
        }

        json.Captured("serviceName"u8, process.ServiceName, SpanLimits.ServiceName);
        if (process.ServiceNamespace.Length > 0)
        {
            json.Captured("serviceNamespace"u8, process.ServiceNamespace, SpanLimits.ServiceName);
        }

        json.Name("language"u8);
        json.Plain(StreamNames.Of(process.Language));
        return json.Line.Written.ToArray();
    }
}

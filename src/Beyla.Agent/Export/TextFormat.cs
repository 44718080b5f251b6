using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary>
/// <c>BEYLA_TRACE_PRINTER=text</c>: one line per span in the field order of Grafana Beyla,
/// <c>start (total[handler]) Type(subType=0) status method path(route)?query [peer as name:port]-&gt;[host as name:port] contentLen:NB
/// responseLen:NB svc=[namespace/name language] traceparent=[00-trace-span[parent]-flags]</c>; for databases the status is 0, or 1 of an
/// error, and method and path are operation and table, for Redis the command and its text. Other than there the start is that of the
/// request, lengths that are not known are <c>?</c>, the (redacted) query is shown, a client that a proxy named is followed by the proxy
/// at the end, <c>peer=[address:port]</c>, and an exchange that did not complete ends in <c>outcome=[…]</c>.
/// </summary>
public sealed class TextFormat : ISpanFormat
{
    private const int Name = 0, Service = 1;

    private readonly ProcessTexts processes = new(Render);
    private readonly EndTexts ends;
    private readonly TimeText time;

    /// <param name="time">Local time of the first field.</param>
    public TextFormat(TimeText time)
    {
        this.time = time;
        ends = new EndTexts(Ends);
    }

    /// <inheritdoc/>
    public void Write(in ExportedSpan exported, ref LineWriter line)
    {
        ref readonly var span = ref exported.Span;
        time.Write(exported.Start, ref line);
        line.Write(" ("u8);
        GoDurationText.Write(exported.Duration, ref line);
        line.WriteByte((byte)'[');
        GoDurationText.Write(exported.HandlerDuration, ref line);
        line.Write("]) "u8);
        line.Write(ProtocolNames.PeerType(span.Protocol, span.Kind));
        What(in span, ref line);
        ends.Write(in exported, ref line);
        Length(span.Values.Number(SpanAttribute.HttpRequestBodySize, -1), ref line);
        line.Write(" responseLen:"u8);
        Length(span.Values.Number(SpanAttribute.HttpResponseBodySize, -1), ref line);
        line.Write(processes.Of(exported.Process)[Service]);
        Context(span.Context, ref line);
        if (span.IsClientNamed)
        {
            line.Write(" peer=["u8);
            line.Write(span.PeerAddress);
            line.Write(":"u8);
            line.WriteNumber(span.PeerPort);
            line.Write("]"u8);
        }

        if (span.Outcome != SpanOutcome.Complete)
        {
            line.Write(" outcome=["u8);
            line.Write(StreamNames.Of(span.Outcome));
            line.Write("]"u8);
        }

        line.WriteByte((byte)'\n');
    }

    /// <summary>The client and the server, of which the traced one has a name.</summary>
    private void Ends(in ExportedSpan exported, ref LineWriter line)
    {
        ref readonly var span = ref exported.Span;
        var name = processes.Of(exported.Process)[Name];
        line.Write(" "u8);
        Side(span.ClientAddress, span.ClientPort, span.Kind == SpanKind.Client ? name : default, ref line);
        line.Write("->"u8);
        Side(span.ServerAddress, span.ServerPort, span.Kind == SpanKind.Client ? default : name, ref line);
        line.Write(" contentLen:"u8);
    }

    /// <summary>Status, method and path, or what the peer puts in their place.</summary>
    private static void What(in SpanData span, ref LineWriter line)
    {
        var values = span.Values;
        if (SpanProtocols.Of(span.Protocol) is var protocol && protocol == SpanProtocol.Http)
        {
            line.WriteByte((byte)' ');
            line.WriteNumber(values.Number(SpanAttribute.HttpResponseStatusCode, 0));
            line.WriteByte((byte)' ');
            Captured(values, SpanAttribute.HttpRequestMethod, ref line);
            line.WriteByte((byte)' ');
            Captured(values, SpanAttribute.UrlPath, ref line);
            if (values.Has(SpanAttribute.HttpRoute))
            {
                line.Write("("u8);
                _ = Escape.Text(values.Text(SpanAttribute.HttpRoute), SpanAttributes.Of(SpanAttribute.HttpRoute).Limit, ref line);
                line.Write(")"u8);
            }
        }
        else
        {
            line.WriteByte((byte)' ');
            line.WriteNumber(values.Has(SpanAttribute.ErrorType) ? 1 : 0);
            line.Write(" "u8);
            Operation(values, protocol, ref line);
            line.Write(" "u8);
            Captured(values, protocol.Targets[0], ref line);
        }

        if (values.Has(SpanAttribute.UrlQuery))
        {
            line.Write("?"u8);
            _ = Escape.Text(values.Text(SpanAttribute.UrlQuery), SpanAttributes.Of(SpanAttribute.UrlQuery).Limit, ref line);
        }
    }

    private static void Operation(SpanValues values, SpanProtocol protocol, ref LineWriter line)
    {
        var operation = protocol.Operations[0];
        for (var i = 1; i < protocol.Operations.Count && !values.Has(operation); i++)
        {
            operation = protocol.Operations[i];
        }

        Captured(values, operation, ref line, firstWord: operation != protocol.Operations[0]);
    }

    /// <summary>A field is never empty, so that the line always has the same number of them.</summary>
    private static void Captured(SpanValues values, SpanAttribute attribute, ref LineWriter line, bool firstWord = false)
    {
        var value = values.Text(attribute);
        if (firstWord && value.IndexOf((byte)' ') is > 0 and var blank)
        {
            value = value[..blank];
        }

        if (value.IsEmpty)
        {
            line.Write("-"u8);
        }
        else
        {
            _ = Escape.Text(value, SpanAttributes.Of(attribute).Limit, ref line);
        }
    }

    /// <summary>The value of a traceparent with the parent behind the span, zeros where it is not known.</summary>
    private static void Context(TraceContext context, ref LineWriter line)
    {
        if (context.HasTrace)
        {
            line.Write("00-"u8);
            line.WriteIdentity(context.TraceHigh);
            line.WriteIdentity(context.TraceLow);
            line.WriteByte((byte)'-');
            line.WriteIdentity(context.SpanId);
            line.WriteByte((byte)'[');
            line.WriteIdentity(context.ParentId);
            line.Write("]-"u8);
            line.WriteByte("0123456789abcdef"u8[context.Flags >> 4]);
            line.WriteByte("0123456789abcdef"u8[context.Flags & 15]);
        }

        line.WriteByte((byte)']');
    }

    private static void Side(in Address address, ushort port, scoped ReadOnlySpan<byte> name, ref LineWriter line)
    {
        line.Write("["u8);
        var start = line.Position;
        line.Write(in address);
        var text = line.Written[start..];
        line.Write(" as "u8);
        line.Write(name.IsEmpty ? text : name);
        line.Write(":"u8);
        line.WriteNumber(port);
        line.Write("]"u8);
    }

    private static void Length(long bytes, ref LineWriter line)
    {
        if (bytes < 0)
        {
            line.Write("?"u8);
        }
        else
        {
            line.WriteNumber(bytes);
        }

        line.WriteByte((byte)'B');
    }

    private static byte[][] Render(ProcessInfo process)
    {
        var buffer = new byte[8 * SpanLimits.ServiceName];
        var name = new LineWriter(buffer);
        _ = Escape.Text(process.ServiceName, SpanLimits.ServiceName, ref name);
        if (process.ServiceName.Length > 0 && process.ServiceNamespace.Length > 0)
        {
            name.Write("."u8);
            _ = Escape.Text(process.ServiceNamespace, SpanLimits.ServiceName, ref name);
        }

        var nameBytes = name.Written.ToArray();
        var service = new LineWriter(buffer);
        service.Write(" svc=["u8);
        if (process.ServiceNamespace.Length > 0)
        {
            _ = Escape.Text(process.ServiceNamespace, SpanLimits.ServiceName, ref service);
            service.Write("/"u8);
        }

        _ = Escape.Text(process.ServiceName, SpanLimits.ServiceName, ref service);
        service.Write(" "u8);
        service.Write(StreamNames.Of(process.Language));
        service.Write("] traceparent=["u8);
        return [nameBytes, service.Written.ToArray()];
    }
}

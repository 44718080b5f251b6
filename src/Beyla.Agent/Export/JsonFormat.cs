using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary>
/// <c>BEYLA_TRACE_PRINTER=json</c> and <c>json_indent</c>: one object per span, as docs/stream.md has it. The fields come in the order in
/// which the reader (Beyla.Contracts) expects them first.
/// </summary>
/// <param name="indent">One field per line, two blanks before it; not a stream of lines any more.</param>
public sealed class JsonFormat(bool indent = false) : ISpanFormat
{
    private readonly ProcessTexts processes = new(process => [Render(process, indent)]);
    private readonly TimeText time = TimeText.Utc();

    /// <inheritdoc/>
    public void Write(in ExportedSpan exported, ref LineWriter line)
    {
        var span = exported.Span;
        var json = new JsonLine(indent, line);
        json.Begin("span"u8);
        json.Name("kind"u8);
        json.Plain(StreamNames.Of(span.Kind));
        json.Name("protocol"u8);
        json.Plain("http"u8);
        json.Name("outcome"u8);
        json.Plain(StreamNames.Of(span.Outcome));
        json.Name("start"u8);
        json.Time(time, exported.Start);
        json.Name("handlerStart"u8);
        json.Time(time, exported.HandlerStart);
        json.Name("end"u8);
        json.Time(time, exported.End);
        json.Number("durationUSec"u8, exported.Duration);
        json.Number("handlerDurationUSec"u8, exported.HandlerDuration);
        json.Captured("method"u8, span.Method, SpanLimits.Method);
        json.Captured("path"u8, span.Path, SpanLimits.Path);
        if (!span.Query.IsEmpty)
        {
            json.Captured("query"u8, span.Query, SpanLimits.Query);
        }

        json.Number("status"u8, span.Status);
        if (!span.Host.IsEmpty)
        {
            json.Captured("host"u8, span.Host, SpanLimits.Host);
        }

        json.Name("protocolVersion"u8);
        json.Plain(span.MinorVersion == 0 ? "1.0"u8 : "1.1"u8);
        if (span.RequestBodyLength >= 0)
        {
            json.Number("requestBodyLength"u8, span.RequestBodyLength);
        }

        if (span.ResponseBodyLength >= 0)
        {
            json.Number("responseBodyLength"u8, span.ResponseBodyLength);
        }

        json.Name("clientAddress"u8);
        json.Address(span.ClientAddress);
        json.Number("clientPort"u8, span.ClientPort);
        json.Name("serverAddress"u8);
        json.Address(span.ServerAddress);
        json.Number("serverPort"u8, span.ServerPort);
        if (span.IsClientNamed)
        {
            json.Name("peerAddress"u8);
            json.Address(span.PeerAddress);
            json.Number("peerPort"u8, span.PeerPort);
        }

        json.Number("tid"u8, span.Tid);
        json.Number("networkNamespace"u8, span.NetworkNamespace);
        json.Name("connection"u8);
        json.Hex(span.Connection);
        json.Raw(processes.Of(exported.Process)[0]);
        json.End();
        line = json.Line;
    }

    private static byte[] Render(ProcessInfo process, bool indent)
    {
        var line = new LineWriter(new byte[SpanLimits.Line]);
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

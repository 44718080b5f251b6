using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Beyla.Contracts;

namespace Beyla;

/// <summary>
/// Writes a span as a line of type <c>span</c> (docs/stream.md), as the agent does: what <see cref="StreamLineParser"/> reads from the line
/// is the same span. Characters beyond printable ASCII are escaped, so a line is safe wherever it is shown. Not thread-safe: it reuses its
/// memory from line to line.
/// </summary>
public sealed class SpanWriter : IDisposable
{
    private const string Time = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    private readonly ArrayBufferWriter<byte> buffer = new(4096);
    private readonly Utf8JsonWriter json;

    /// <summary>Makes a writer.</summary>
    public SpanWriter() => json = new(buffer);

    /// <summary>
    /// The line, with its line feed; valid until the next one is written. Times have whole microseconds, what a time has beyond them is
    /// cut. Half of a surrogate pair, which is no text, becomes U+FFFD.
    /// </summary>
    public ReadOnlyMemory<byte> Write(Span span)
    {
        ArgumentNullException.ThrowIfNull(span);
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        json.WriteStartObject();
        json.WriteString("type"u8, "span"u8);
        json.WriteString("kind"u8, StreamNames.Of(span.Kind));
        json.WriteString("protocol"u8, span.Protocol);
        Text(SpanAttributes.Of(SpanAttribute.Name).ShortName!, span.Name);
        json.WriteString("outcome"u8, StreamNames.Of(span.Outcome));
        Text(SpanAttributes.Of(SpanAttribute.ErrorType).ShortName!, span.ErrorType);
        json.WriteString("start"u8, Moment(span.Start));
        json.WriteString("handlerStart"u8, Moment(span.HandlerStart));
        json.WriteString("end"u8, Moment(span.End));
        json.WriteNumber("durationUSec"u8, Microseconds(span.Duration));
        json.WriteNumber("handlerDurationUSec"u8, Microseconds(span.HandlerDuration));
        json.WriteString("clientAddress"u8, span.ClientAddress.ToString());
        json.WriteNumber("clientPort"u8, span.ClientPort);
        json.WriteString("serverAddress"u8, span.ServerAddress.ToString());
        json.WriteNumber("serverPort"u8, span.ServerPort);
        if (span.PeerAddress is { } peer)
        {
            json.WriteString("peerAddress"u8, peer.ToString());
            json.WriteNumber("peerPort"u8, span.PeerPort);
        }

        json.WriteNumber("tid"u8, span.ThreadId);
        json.WriteNumber("networkNamespace"u8, span.NetworkNamespace);
        json.WriteString("connection"u8, span.Connection.ToString("x", CultureInfo.InvariantCulture));
        Process(span);
        Context(span);
        json.WriteStartObject("attributes"u8);
        span.Attributes.WriteTo(json);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    /// <inheritdoc/>
    public void Dispose() => json.Dispose();

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString(Time, CultureInfo.InvariantCulture);

    private static long Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    private void Process(Span span)
    {
        json.WriteNumber("pid"u8, span.ProcessId);
        Text("executable", span.Executable);
        json.WriteString("serviceName"u8, span.ServiceName);
        Text("serviceNamespace", span.ServiceNamespace);
        json.WriteString("language"u8, StreamNames.Of(span.Language));
    }

    private void Context(Span span)
    {
        Text("traceId", span.TraceId);
        Text("spanId", span.SpanId);
        Text("parentId", span.ParentId);
        if (span.ParentSource != ParentSource.None)
        {
            json.WriteString("parentSource"u8, StreamNames.Of(span.ParentSource));
        }

        json.WriteNumber("traceFlags"u8, span.TraceFlags);
        Text(SpanAttributes.Of(SpanAttribute.TraceState).ShortName!, span.TraceState);
    }

    /// <summary>A field that is left out where it is empty.</summary>
    private void Text(string name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }
}

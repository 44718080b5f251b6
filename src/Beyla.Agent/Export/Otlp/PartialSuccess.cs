using System.Text;
using System.Text.Json;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Reads what a receiver says: ExportTracePartialSuccess and its like, partial_success 1 with the rejected count 1 and error_message 2
/// (opentelemetry/proto/collector/…/v1), and google.rpc.Status, message 2, in the body of an error.
/// </summary>
internal static class PartialSuccess
{
    private const int MaximumShown = 200;

    /// <summary>Reads an answer in protocol buffers. What cannot be read counts as taken: the status said so.</summary>
    internal static OtlpAnswer Of(ReadOnlySpan<byte> content)
    {
        var reader = new ProtobufReader(content);
        while (reader.Read())
        {
            if (reader is { Field: 1, IsBytes: true })
            {
                var (rejected, message) = (0L, "");
                var inner = new ProtobufReader(reader.Bytes);
                while (inner.Read())
                {
                    (rejected, message) = inner switch
                    {
                        { Field: 1, Type: 0 } => ((long)inner.Number, message),
                        { Field: 2, IsBytes: true } => (rejected, Shown(inner.Bytes)),
                        _ => (rejected, message),
                    };
                }

                return new OtlpAnswer(OtlpVerdict.Taken, Math.Max(0, rejected), message);
            }
        }

        return new OtlpAnswer(OtlpVerdict.Taken);
    }

    /// <summary>As above, in JSON: <c>{"partialSuccess":{"rejectedSpans":"1","errorMessage":"…"}}</c>.</summary>
    internal static OtlpAnswer OfJson(ReadOnlySpan<byte> content)
    {
        try
        {
            var (rejected, message) = (0L, "");
            var reader = new Utf8JsonReader(content);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                {
                    continue;
                }

                if (reader.ValueTextEquals("rejectedSpans"u8) || reader.ValueTextEquals("rejectedDataPoints"u8))
                {
                    _ = reader.Read();
                    rejected = reader.TokenType == JsonTokenType.Number ? reader.TryGetInt64(out var number) ? number : 0
                        : reader.TokenType == JsonTokenType.String && long.TryParse(reader.ValueSpan, out number) ? number : 0;
                }
                else if (reader.ValueTextEquals("errorMessage"u8))
                {
                    _ = reader.Read();
                    message = reader.TokenType == JsonTokenType.String ? LogText.Escape(Shorten(TextOf(in reader))) : "";
                }
            }

            return new OtlpAnswer(OtlpVerdict.Taken, Math.Max(0, rejected), message);
        }
        catch (JsonException)
        {
            return new OtlpAnswer(OtlpVerdict.Taken);
        }
    }

    /// <summary>What the body of an error says, after a colon; empty where it says nothing that can be shown.</summary>
    internal static string MessageOf(HttpResponseMessage response, ReadOnlySpan<byte> content)
    {
        var text = "";
        switch (response.Content.Headers.ContentType?.MediaType)
        {
            case "application/x-protobuf" or "application/protobuf":
                var reader = new ProtobufReader(content);
                while (reader.Read())
                {
                    text = reader is { Field: 2, IsBytes: true } ? Shown(reader.Bytes) : text;
                }

                break;
            case "application/json" or "text/plain":
                text = Shown(content[..Math.Min(content.Length, 4 * MaximumShown)]);
                break;
            default:
                break;
        }

        return text.Length > 0 ? ": " + text : "";
    }

    /// <summary>The beginning of a text.</summary>
    internal static string Shorten(string text) => text.Length > MaximumShown ? text[..MaximumShown] + "…" : text;

    /// <summary>Half of a surrogate pair and bytes that are no UTF-8 are valid JSON and no text: they stay as they are written.</summary>
    private static string TextOf(in Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }
    }

    private static string Shown(ReadOnlySpan<byte> text) => LogText.Escape(Shorten(Encoding.UTF8.GetString(text).Trim()));
}

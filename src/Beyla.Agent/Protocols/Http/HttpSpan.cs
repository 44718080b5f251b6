using System.Buffers.Text;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// The attributes of an HTTP span, by the semantic conventions of OpenTelemetry for HTTP
/// (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
/// </summary>
internal static class HttpSpan
{
    /// <summary>Adds them.</summary>
    /// <param name="exchange">Whose.</param>
    /// <param name="values">Where to.</param>
    /// <param name="isServer">The traced process served the request.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="status">Status of the response, 0 when there is none.</param>
    /// <param name="responseBody">Bytes of its body, -1 when unknown.</param>
    public static void Describe(
        HttpExchange exchange, SpanValues values, bool isServer, SpanOutcome outcome, int status, long responseBody)
    {
        // Without a route the name is the method, and any client may send any method: only those that are known make a name.
        var isKnown = IsKnown(exchange.Method);
        exchange.Describe(values, isKnown);
        if (!isKnown)
        {
            values.Add(SpanAttribute.Name, "HTTP"u8);
        }

        AddError(values, isServer, outcome, status);
        if (status != 0)
        {
            values.Add(SpanAttribute.HttpResponseStatusCode, status);
        }

        values.Add(SpanAttribute.NetworkProtocolVersion, exchange.MinorVersion == 0 ? "1.0"u8 : "1.1"u8);
        AddSize(values, SpanAttribute.HttpRequestBodySize, exchange.RequestBody);
        AddSize(values, SpanAttribute.HttpResponseBodySize, responseBody);
    }

    /// <summary>
    /// The status where it says that the request failed: of a server from 500 on, since a wrong request is not its failure, of a client
    /// from 400 on. Else why there is no whole response. An end that was not seen is no failure.
    /// </summary>
    private static void AddError(SpanValues values, bool isServer, SpanOutcome outcome, int status)
    {
        if (outcome != SpanOutcome.TimedOut && status >= (isServer ? 500 : 400))
        {
            Span<byte> digits = stackalloc byte[11];
            _ = Utf8Formatter.TryFormat(status, digits, out var length);
            values.Add(SpanAttribute.ErrorType, digits[..length]);
        }
        else
        {
            values.Add(SpanAttribute.ErrorType, SpanErrors.Of(outcome));
        }
    }

    private static void AddSize(SpanValues values, SpanAttribute attribute, long bytes)
    {
        if (bytes >= 0)
        {
            values.Add(attribute, bytes);
        }
    }

    /// <summary>
    /// RFC 9110 section 9.3, PATCH (RFC 5789), QUERY (draft-ietf-httpbis-safe-method-w-body): what the conventions call known.
    /// </summary>
    internal static bool IsKnown(ReadOnlySpan<byte> method) => method.Length switch
    {
        3 => method.SequenceEqual("GET"u8) || method.SequenceEqual("PUT"u8),
        4 => method.SequenceEqual("POST"u8) || method.SequenceEqual("HEAD"u8),
        5 => method.SequenceEqual("PATCH"u8) || method.SequenceEqual("TRACE"u8) || method.SequenceEqual("QUERY"u8),
        6 => method.SequenceEqual("DELETE"u8),
        7 => method.SequenceEqual("OPTIONS"u8) || method.SequenceEqual("CONNECT"u8),
        _ => false,
    };
}

using System.Buffers.Binary;
using System.Globalization;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Frames of gRPC over HTTP/2 and what its status codes mean for an exporter (gRPC, "PROTOCOL-HTTP2"; OTLP/gRPC, "Failures").
/// </summary>
internal static class GrpcStatus
{
    private const int Prefix = 5;

    /// <summary>A message with its prefix: a flag for compression and the length, big endian.</summary>
    internal static byte[] Frame(ReadOnlyMemory<byte> message, bool isPacked)
    {
        var frame = new byte[Prefix + message.Length];
        frame[0] = isPacked ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.Span.CopyTo(frame.AsSpan(Prefix));
        return frame;
    }

    /// <summary>Reads an answer.</summary>
    internal static OtlpAnswer Read(HttpResponseMessage response, byte[] content)
    {
        // Of an error there may be headers alone, and no trailers.
        if (Value(response, "grpc-status") is not { } status
            || !int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            var http = (int)response.StatusCode;
            return new OtlpAnswer(http is 429 or 502 or 503 or 504 ? OtlpVerdict.Again : OtlpVerdict.Refused,
                Reason: FormattableString.Invariant($"HTTP status {http} without a status of gRPC: is it a port for gRPC?"));
        }

        if (code == 0)
        {
            return content.Length >= Prefix && content[0] == 0
                ? PartialSuccess.Of(content.AsSpan(Prefix)) : new OtlpAnswer(OtlpVerdict.Taken);
        }

        var message = Value(response, "grpc-message") is { Length: > 0 } text
            ? ": " + Logging.LogText.Escape(PartialSuccess.Shorten(PercentEncoding.DecodeValid(text))) : "";
        var reason = FormattableString.Invariant($"gRPC status {code} ({NameOf(code)})") + message;
        var details = RetryInfo.Read(Value(response, "grpc-status-details-bin"));
        // CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS; RESOURCE_EXHAUSTED only where it says when.
        return code is 1 or 4 or 10 or 11 or 14 or 15 || (code == 8 && details is not null)
            ? new OtlpAnswer(OtlpVerdict.Again, Reason: reason, After: details)
            : new OtlpAnswer(OtlpVerdict.Refused, Reason: reason);
    }

    private static string? Value(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values)
            ? values.First() : null;

    private static string NameOf(int code) => code switch
    {
        1 => "CANCELLED",
        2 => "UNKNOWN",
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        5 => "NOT_FOUND",
        6 => "ALREADY_EXISTS",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        11 => "OUT_OF_RANGE",
        12 => "UNIMPLEMENTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        15 => "DATA_LOSS",
        16 => "UNAUTHENTICATED",
        _ => "unknown",
    };
}

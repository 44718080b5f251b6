namespace Beyla.Live.Tests.Export;

/// <summary>What the receiver is told to answer; without anything it takes the request.</summary>
internal sealed record OtlpAnswer
{
    /// <summary>An HTTP status code, or a code of gRPC (0 to 16) for a request that came by gRPC.</summary>
    public int? Status { get; init; }

    /// <summary>More header fields; metadata with gRPC, in base64 where the name ends in <c>-bin</c>.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>The body of an error, or the message of gRPC's status.</summary>
    public string? Text { get; init; }

    /// <summary>A success with a partial_success.</summary>
    public OtlpPartial? Partial { get; init; }

    /// <summary>Milliseconds before the answer.</summary>
    public int? Delay { get; init; }

    /// <summary>The connection ends without an answer.</summary>
    public bool? Close { get; init; }

    /// <summary>Bytes of an answer that holds nothing but zeros.</summary>
    public int? Huge { get; init; }

    /// <summary>For how many requests it holds (1); -1 for all that follow.</summary>
    public int? Times { get; init; }

    public static OtlpAnswer Code(int status) => new() { Status = status };

    /// <summary>An HTTP status with a Retry-After (RFC 9110, section 10.2.3): seconds or a date.</summary>
    public static OtlpAnswer RetryAfter(int status, string value) => new()
    {
        Status = status, Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Retry-After"] = value },
    };
}

/// <summary>ExportTracePartialSuccess, ExportMetricsPartialSuccess (opentelemetry-proto).</summary>
internal sealed record OtlpPartial(long Rejected, string Message);

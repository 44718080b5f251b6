namespace Beyla.Agent.Configuration;

/// <summary>How telemetry is encoded and carried (OpenTelemetry Protocol specification, "OTLP/HTTP", "OTLP/gRPC").</summary>
public enum OtlpProtocol : byte
{
    /// <summary>Protocol buffers in the body of an HTTP request.</summary>
    HttpProtobuf,

    /// <summary>JSON in the body of an HTTP request.</summary>
    HttpJson,

    /// <summary>gRPC, over HTTP/2.</summary>
    Grpc,

    /// <summary>A line of JSON for each request, on standard output; nothing is carried anywhere.</summary>
    JsonLines,
}

/// <summary>Where and how one signal is sent by OTLP. Immutable.</summary>
public sealed record OtlpConfiguration
{
    /// <summary>The whole URL to which is posted; of gRPC only scheme, host and port count.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>How it is encoded and carried.</summary>
    public OtlpProtocol Protocol { get; init; }

    /// <summary>Headers that are added to each request. Their values are secrets.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>How long one request may take; zero is for ever.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether bodies are compressed by gzip.</summary>
    public bool Compress { get; init; }

    /// <summary>The first wait before a failed request is tried again; each further one is twice as long.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait before a failed request is tried again.</summary>
    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a batch is tried, waits included; then it is lost. Zero is for ever.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Path of a PEM file with the roots that are trusted in place of the system's; null for the system's.</summary>
    public string? RootsFile { get; init; }

    /// <summary>Path of the PEM file with the client's certificate; null where none is shown.</summary>
    public string? ClientCertificateFile { get; init; }

    /// <summary>Path of the PEM file with the key of the client's certificate.</summary>
    public string? ClientKeyFile { get; init; }

    /// <summary>Whether any certificate of the receiver is taken.</summary>
    public bool SkipVerify { get; init; }
}

/// <summary>
/// From where the points of what only rises count (OpenTelemetry specification, "Metrics Exporter - OTLP", "Temporality preference").
/// </summary>
public enum MetricTemporality : byte
{
    /// <summary>From the beginning of the series.</summary>
    Cumulative,

    /// <summary>Counters and histograms from the point before.</summary>
    Delta,

    /// <summary>The same, but for counters whose value is read from somewhere: nothing has to be remembered of those.</summary>
    LowMemory,
}

/// <summary>How metrics are sent. Immutable.</summary>
public sealed record MetricsExport
{
    /// <summary>Where to.</summary>
    public required OtlpConfiguration Otlp { get; init; }

    /// <summary>How often all series are sent.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>From where points count.</summary>
    public MetricTemporality Temporality { get; init; }

    /// <summary>The exponential buckets of histograms; null where they have bounds.</summary>
    public ExponentialHistograms? Exponential { get; init; }
}

/// <summary>
/// How fine exponential histograms are (OpenTelemetry specification, "Base2 Exponential Bucket Histogram Aggregation"). Immutable.
/// </summary>
/// <param name="MaxSize">Buckets of a series at most, from 2.</param>
/// <param name="MaxScale">The scale that a series begins with, from -10 to 20; it gets coarser with the range of what is measured.</param>
public sealed record ExponentialHistograms(int MaxSize = 160, int MaxScale = 20);

/// <summary>How spans are gathered and encoded, wherever they go. Immutable.</summary>
public record TracesOptions
{
    /// <summary>Names of the protocols whose spans are sent (<c>http</c>, <c>sql</c>, <c>redis</c>); null for all.</summary>
    public IReadOnlySet<string>? Instrumentations { get; init; }

    /// <summary>Spans of one request at most.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>How long a span waits at most for others.</summary>
    public TimeSpan BatchDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Spans that wait at most, those that are on their way included.</summary>
    public int QueueSize { get; init; } = 16384;

    /// <summary>Attributes of a span at most.</summary>
    public int CountLimit { get; init; } = 128;

    /// <summary>Characters of an attribute at most.</summary>
    public int ValueLimit { get; init; } = int.MaxValue;
}

/// <summary>How spans are sent. Immutable.</summary>
public sealed record TracesExport : TracesOptions
{
    /// <summary>With what the specification has for everything.</summary>
    public TracesExport()
    {
    }

    /// <param name="options">How they are gathered and encoded.</param>
    public TracesExport(TracesOptions options)
        : base(options)
    {
    }

    /// <summary>Where to.</summary>
    public required OtlpConfiguration Otlp { get; init; }
}

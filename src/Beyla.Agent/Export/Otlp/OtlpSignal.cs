namespace Beyla.Agent.Export.Otlp;

/// <summary>What is sent by OTLP.</summary>
public sealed class OtlpSignal
{
    private OtlpSignal(string name, string service, OtlpMessage request)
    {
        Name = name;
        GrpcPath = $"/opentelemetry.proto.collector.{service}/Export";
        Request = request;
    }

    /// <summary>Spans.</summary>
    public static OtlpSignal Traces { get; } = new("traces", "trace.v1.TraceService", OtlpMessage.TracesRequest);

    /// <summary>Metrics.</summary>
    public static OtlpSignal Metrics { get; } = new("metrics", "metrics.v1.MetricsService", OtlpMessage.MetricsRequest);

    /// <summary>Its name; with <c>/v1/</c> before it the path below a base URL.</summary>
    public string Name { get; }

    /// <summary>The method of the service.</summary>
    public string GrpcPath { get; }

    /// <summary>The form of the request.</summary>
    internal OtlpMessage Request { get; }
}

namespace Beyla.PowerShell.Parameters;

/// <summary>Where to, or as what, Export-BeylaTrace gives spans.</summary>
public enum SpanExporter
{
    /// <summary>To a receiver for the OpenTelemetry Protocol.</summary>
    Otlp,

    /// <summary>As text: OTLP in JSON, a request in each line, as the file exporter of OpenTelemetry has it.</summary>
    OtlpJson,

    /// <summary>As the text that OpenTelemetry's exporter for the console writes.</summary>
    Console,

    /// <summary>As text: the page of metrics that Prometheus would read.</summary>
    Prometheus,
}

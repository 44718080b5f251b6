namespace Beyla.PowerShell.Parameters;

/// <summary>To what kind of system spans are sent.</summary>
public enum TraceExporter
{
    /// <summary>To none, whatever the environment says.</summary>
    None,

    /// <summary>To a receiver for the OpenTelemetry Protocol.</summary>
    Otlp,
}

namespace Beyla.Agent.Export.Prometheus;

/// <summary>In what form a page is written.</summary>
public enum PageFormat : byte
{
    /// <summary>Text 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).</summary>
    Text,

    /// <summary>OpenMetrics 1.0.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/).</summary>
    OpenMetrics,
}

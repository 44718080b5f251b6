using System.Globalization;
using System.Text;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>What is the same in all samples of a metric, and its head lines. Made once.</summary>
internal sealed class FamilyText
{
    public FamilyText(MetricFamily family)
    {
        var definition = family.Definition;
        var name = PrometheusNames.Of(definition);
        var isCounter = definition.Kind == MetricKind.Counter;
        var type = definition.Kind switch { MetricKind.Counter => "counter", MetricKind.Histogram => "histogram", _ => "gauge" };
        var help = definition.Description.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        var sample = isCounter ? name + "_total" : name;
        Plain = Bytes($"# HELP {sample} {help}\n# TYPE {sample} {type}\n");
        // The unit is said where it is what the name ends with; nothing else is allowed there.
        var last = name[(name.LastIndexOf('_') + 1)..];
        var unit = last is "seconds" or "bytes" or "ratio" && last.Length < name.Length ? $"# UNIT {name} {last}\n" : "";
        Open = Bytes(
            $"# TYPE {name} {type}\n{unit}# HELP {name} {help.Replace("\"", "\\\"", StringComparison.Ordinal)}\n");
        (Sample, Bucket, Sum, Count) = (Bytes(sample + "{"), Bytes(name + "_bucket{"), Bytes(name + "_sum{"), Bytes(name + "_count{"));
        Limits = definition.Buckets is { } buckets
            ? [.. buckets.Bounds.Select(static bound => Bytes($",le=\"{Limit(bound)}\"}} ")), Bytes(",le=\"+Inf\"} ")] : [];
        Scale = definition.Buckets?.Scale ?? definition.Scale;
    }

    /// <summary>Head lines of the text format.</summary>
    public byte[] Plain { get; }

    /// <summary>Head lines of OpenMetrics.</summary>
    public byte[] Open { get; }

    /// <summary>The name of a sample that is no part of a histogram, up to its labels.</summary>
    public byte[] Sample { get; }

    /// <summary>The names of the parts of a histogram, up to their labels.</summary>
    public byte[] Bucket { get; }

    /// <inheritdoc cref="Bucket"/>
    public byte[] Sum { get; }

    /// <inheritdoc cref="Bucket"/>
    public byte[] Count { get; }

    /// <summary>For each bucket the label <c>le</c>, up to the value.</summary>
    public byte[][] Limits { get; }

    /// <summary>Measured units in one of the metric.</summary>
    public double Scale { get; }

    /// <summary>A bound: OpenMetrics wants a point, and the same text in both formats, since each text is a series of its own.</summary>
    internal static string Limit(double bound)
    {
        var text = bound.ToString(CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0";
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}

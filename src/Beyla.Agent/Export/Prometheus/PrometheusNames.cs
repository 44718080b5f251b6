using System.Text;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>
/// Names on a page of Prometheus (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility"): letters, digits and
/// underscores, with the unit behind.
/// </summary>
internal static class PrometheusNames
{
    /// <summary>The name of a metric with its unit, and without <c>_total</c>.</summary>
    public static string Of(MetricDefinition definition)
    {
        if (definition.PrometheusName is { } own)
        {
            return own;
        }

        var name = Clean(definition.Name, colons: true);
        if (char.IsAsciiDigit(name[0]))
        {
            name = "_" + name;
        }

        // What a name ends with is not said twice; "_total" is what a counter's samples get in any case.
        if (definition.Kind == MetricKind.Counter && name.EndsWith("_total", StringComparison.Ordinal))
        {
            name = name[..^"_total".Length];
        }

        var unit = UnitOf(definition);
        return unit.Length == 0 || name.EndsWith("_" + unit, StringComparison.Ordinal) ? name : $"{name}_{unit}";
    }

    /// <summary>The name of a label.</summary>
    public static string Label(string attribute)
    {
        var name = Clean(attribute, colons: false);
        return char.IsAsciiDigit(name[0]) ? "key_" + name : name[0] == '_' ? "key" + name : name;
    }

    /// <summary>The word for a unit of UCUM; empty for none.</summary>
    private static string UnitOf(MetricDefinition definition)
    {
        var unit = definition.Unit;
        if (unit.StartsWith('{'))
        {
            return "";
        }

        var slash = unit.IndexOf('/', StringComparison.Ordinal);
        return unit == "1" ? definition.Kind == MetricKind.Gauge ? "ratio" : ""
            : slash > 0 ? $"{Word(unit[..slash])}_per_{Single(unit[(slash + 1)..])}"
            : Word(unit);
    }

    private static string Word(string unit) => unit switch
    {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tibibytes",
        "kBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "Hz" => "hertz",
        "%" => "percent",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        _ => unit.Length == 0 ? "" : Clean(unit, colons: false).Trim('_'),
    };

    private static string Single(string unit) => unit switch
    {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        _ => Clean(unit, colons: false),
    };

    /// <summary>What may not be in a name becomes an underscore, several of them one.</summary>
    private static string Clean(string name, bool colons)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || (colons && c == ':'))
            {
                text.Append(c);
            }
            else if (text.Length == 0 || text[^1] != '_')
            {
                text.Append('_');
            }
        }

        return text.Length == 0 ? "_" : text.ToString();
    }
}

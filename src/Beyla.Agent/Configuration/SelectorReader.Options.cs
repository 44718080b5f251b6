using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>What an entry says of the telemetry of its services.</summary>
internal sealed partial class SelectorReader
{
    private ExportedSignals? Exports(ConfigurationNode value, string path)
    {
        var result = ExportedSignals.None;
        foreach (var signal in value.Items)
        {
            switch (signal.Text?.ToLowerInvariant())
            {
                case "metrics":
                    result |= ExportedSignals.Metrics;
                    break;
                case "traces":
                    result |= ExportedSignals.Traces;
                    break;
                default:
                    Problem(signal, path, "metrics and traces are expected");
                    return null;
            }
        }

        if (value.Kind != ConfigurationNodeKind.List)
        {
            Problem(value, path, "a list is expected: [metrics, traces], one of them, or [] for neither");
            return null;
        }

        return result;
    }

    private ServiceRoutes? Routes(ConfigurationNode value, string path)
    {
        List<string>? incoming = [], outgoing = [];
        foreach (var (key, patterns) in value.Entries)
        {
            switch (key.Text)
            {
                case "incoming":
                    incoming = Patterns(patterns, $"{path}.incoming");
                    break;
                case "outgoing":
                    outgoing = Patterns(patterns, $"{path}.outgoing");
                    break;
                default:
                    Problem(key, path, "incoming and outgoing are expected, each a list of patterns");
                    return null;
            }
        }

        if (value.Kind != ConfigurationNodeKind.Mapping)
        {
            Problem(value, path, "a mapping is expected, such as {incoming: [/users/:id], outgoing: [/items/*]}");
            return null;
        }

        return incoming is null || outgoing is null ? null : new ServiceRoutes(incoming, outgoing);
    }

    private List<string>? Features(ConfigurationNode value, string path)
    {
        if (value.Kind != ConfigurationNodeKind.Mapping
            || value.Entries.Any(static entry => entry is not { Key.Text: "features", Value.Kind: ConfigurationNodeKind.List }))
        {
            Problem(value, path, "a mapping is expected, such as {features: [application, application_span]}");
            return null;
        }

        List<string> names = [];
        foreach (var item in value.Entries.SelectMany(static entry => entry.Value.Items))
        {
            var name = item.Text?.ToLowerInvariant() ?? "";
            if (!ServiceFeatures.IsKnown(name))
            {
                Problem(item, path + ".features", $"{string.Join(", ", ServiceFeatures.Names)} and all are expected");
                return null;
            }

            if (ServiceFeatures.Of([name]) == MetricFeatures.None)
            {
                warnings.Add($"{Place(item)}: {path}.features: {name} has no effect for a service; metrics.features has it for all");
            }

            names.Add(name);
        }

        if (ServiceFeatures.Of(names).HasFlag(MetricFeatures.ApplicationSpan | MetricFeatures.ApplicationSpanOtel))
        {
            Problem(value, path + ".features", "application_span and application_span_otel are the same metrics: one of them is expected");
            return null;
        }

        return value.Entries.Count == 0 ? null : names;
    }

    private List<string>? Patterns(ConfigurationNode value, string path)
    {
        if (value.IsNull)
        {
            return [];
        }

        List<string> patterns = [.. value.Items.Select(static item => item.Text ?? "")];
        if (value.Kind != ConfigurationNodeKind.List || RoutePattern.Check(patterns) is not null)
        {
            Problem(value, path, RoutePattern.Expected);
            return null;
        }

        return patterns;
    }
}

using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>How spans and metrics are shaped before they leave.</summary>
internal sealed partial class ConfigurationBinder
{
    private ShapingConfiguration Shaping() => new()
    {
        Routes = Routes(),
        Sampler = Sampler(),
        Attributes = new AttributeSelectionReader(SettingLayers.Place(Get("attributes.select")), layers.Problems)
            .Read(Get("attributes.select")),
        Filter = Filter("filter.application", FilterAttribute.OfSpans),
        MetricSpanNames = (int)Integer("attributes.metric_span_names_limit"),
        ExcludesInstrumented = Boolean("discovery.exclude_otel_instrumented_services"),
        ExcludesInstrumentedOfSpanMetrics = Boolean("discovery.exclude_otel_instrumented_services_span_metrics"),
        HostId = Get("attributes.host_id.override").Text?.Trim() ?? "",
        HostName = Get("attributes.instance_id.override_hostname").Text?.Trim() ?? "",
        ResourceAttributes = layers.ResourceAttributes,
    };

    private IReadOnlyList<AttributeCondition> Filter(string path, IReadOnlyList<FilterAttribute> known) =>
        new AttributeFilterReader(known, SettingLayers.Place(Get(path)), layers.Problems).Read(Get(path));

    private RoutesConfiguration Routes()
    {
        var wildcard = Get("routes.wildcard_char").Text ?? "";
        if (wildcard.Length > 0 && (wildcard.Length > 1 || wildcard[0] is <= ' ' or > '~' or '/' or ';'))
        {
            layers.Problems.Add(SettingLayers.Describe(Get("routes.wildcard_char"), "one character of ASCII is expected, and no slash"));
        }

        return new RoutesConfiguration
        {
            IsConfigured = KeyIndex.All.Any(key => key.Path.StartsWith("routes.", StringComparison.Ordinal)
                && layers[key].Origin.Source != SettingSource.Default),
            Patterns = RoutePatternsOf("routes.patterns"),
            IgnoredPatterns = RoutePatternsOf("routes.ignored_patterns"),
            Ignored = Choice("routes.ignore_mode") switch
            {
                "metrics" => IgnoredSignals.Metrics,
                "traces" => IgnoredSignals.Traces,
                _ => IgnoredSignals.All,
            },
            Unmatched = Choice("routes.unmatched") switch
            {
                "heuristic" => UnmatchedRoute.Heuristic,
                "path" => UnmatchedRoute.Path,
                "unset" => UnmatchedRoute.Unset,
                "wildcard" => UnmatchedRoute.Wildcard,
                _ => UnmatchedRoute.LowCardinality,
            },
            Wildcard = wildcard.Length == 1 && wildcard[0] is > ' ' and <= '~' ? (byte)wildcard[0] : (byte)'*',
            MaximumSegmentValues = (int)Integer("routes.max_path_segment_cardinality"),
        };
    }

    private string[] RoutePatternsOf(string path)
    {
        var setting = Get(path);
        string[] patterns = [.. setting.Items];
        if (RoutePattern.Check(patterns) is { } error)
        {
            layers.Problems.Add(SettingLayers.Describe(setting, error));
            return [];
        }

        return patterns;
    }

    /// <summary>The variables are standard: there a mistake is warned of; in YAML it is one.</summary>
    private SamplerConfiguration Sampler()
    {
        var (name, argument) = (Get("otel_traces_export.sampler.name"), Get("otel_traces_export.sampler.arg"));
        if (SamplerConfiguration.Read(name.Text ?? "", argument.Text ?? "", out var sampler) is { } error)
        {
            var wrong = argument.Origin.Source != SettingSource.Default ? argument : name;
            if (wrong.Origin.Source == SettingSource.Environment)
            {
                layers.Warnings.Add(SettingLayers.Describe(wrong, error) + "; the variable has no effect");
            }
            else
            {
                layers.Problems.Add(SettingLayers.Describe(wrong, error));
            }
        }

        return sampler;
    }
}

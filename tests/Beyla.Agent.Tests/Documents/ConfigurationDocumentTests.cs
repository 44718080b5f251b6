using System.Reflection;
using System.Text.RegularExpressions;
using Beyla.Agent.Configuration;
using Beyla.Agent.Tests.Configuration;

namespace Beyla.Agent.Tests.Documents;

public partial class ConfigurationDocumentTests
{
    /// <summary>Variables that the documentation names and that no setting has, with their reason.</summary>
    private static readonly Dictionary<string, string> NoSettings = new()
    {
        ["BEYLA_"] = "the prefix",
        ["BEYLA_X"] = "stands for any",
        ["BEYLA_CONFIG_PATH"] = "read by the loader: it names the file",
        ["BEYLA_WORKER_USER"] = "read before the runtime starts, by native/user.c",
        ["BEYLA_OPEN_PROT"] = "the misspelt name of an example",
        ["BEYLA_UPDATE_DOCS"] = "read by the tests alone: it writes the made pages",
    };

    /// <summary>Where the typed configuration holds the settings that have a default.</summary>
    private static readonly Dictionary<string, Func<AgentConfiguration, object>> Typed = new()
    {
        ["ebpf.buffer_sizes.postgres"] = static c => c.PostgresTextLength,
        ["ebpf.context_propagation"] = static c => c.ContextPropagation,
        ["ebpf.enable_context_propagation"] = static c => c.ContextPropagation != ContextPropagation.Disabled,
        ["ebpf.heuristic_sql_detect"] = static c => c.DetectsSql,
        ["ebpf.http_request_timeout"] = static c => c.HttpRequestTimeout,
        ["ebpf.poll_interval"] = static c => c.PollInterval,
        ["ebpf.postgres_prepared_statements_cache_size"] = static c => c.PostgresPreparedStatements,
        ["ebpf.redis_db_cache.enabled"] = static c => c.ShowsRedisDatabase,
        ["attributes.metric_span_names_limit"] = static c => c.Shaping.MetricSpanNames,
        ["otel_traces_export.sampler.name"] = static c => c.Shaping.Sampler == Agent.Selection.SamplerConfiguration.Default
            ? "parentbased_always_on" : "another",
        ["routes.ignore_mode"] = static c => c.Shaping.Routes.Ignored,
        ["routes.max_path_segment_cardinality"] = static c => c.Shaping.Routes.MaximumSegmentValues,
        ["routes.unmatched"] = static c => c.Shaping.Routes.Unmatched,
        ["routes.wildcard_char"] = static c => ((char)c.Shaping.Routes.Wildcard).ToString(),
        ["ebpf.ring_size"] = static c => c.RingSize,
        ["ebpf.socket_source"] = static c => c.SocketSource,
        ["ebpf.traffic_control_backend"] = static c => c.Network.TrafficControlBackend,
        ["enforce_sys_caps"] = static c => c.EnforceSysCaps,
        ["exit_with_parent"] = static c => c.ExitWithParent,
        ["log_format"] = static c => c.LogFormat,
        ["log_level"] = static c => c.LogLevel,
        ["internal_metrics.exporter"] = static c => c.Metrics.InternalPort == 0 ? "disabled" : "prometheus",
        ["internal_metrics.prometheus.path"] = static c => c.Metrics.InternalPath,
        ["internal_metrics.prometheus.port"] = static c => c.Metrics.InternalPort,
        ["metrics.features"] = static c => c.Metrics.Features,
        ["prometheus_export.allow_service_graph_self_references"] = static c => c.Metrics.HasSelfReferences,
        ["prometheus_export.disable_build_info"] = static c => c.Metrics.HidesBuild,
        ["prometheus_export.exemplar_filter"] = static c => c.Metrics.Exemplars,
        ["prometheus_export.host"] = static c => c.Metrics.Address.ToString(),
        ["prometheus_export.path"] = static c => c.Metrics.Path,
        ["prometheus_export.port"] = static c => c.Metrics.Port,
        ["prometheus_export.service_cache_size"] = static c => c.Metrics.Services,
        ["attributes.rename_unresolved_hosts_incoming"] = static c => c.Metrics.UnresolvedClient,
        ["attributes.rename_unresolved_hosts_outgoing"] = static c => c.Metrics.UnresolvedServer,
        ["name_resolver.cache_expiry"] = static c => c.Metrics.Names!.Expiry,
        ["name_resolver.cache_len"] = static c => c.Metrics.Names!.Length,
        ["processes.interval"] = static c => c.Metrics.ProcessInterval,
        ["prometheus_export.ttl"] = static c => c.Metrics.Idle,
        ["prometheus_export.instrumentations"] = static c => string.Join(',', c.Metrics.Instrumentations ?? (IEnumerable<string>)["*"]),
        ["otel_metrics_export.ttl"] = static c => c.Metrics.Idle,
        ["otel_metrics_export.instrumentations"] = static c => string.Join(',', c.Metrics.Instrumentations ?? (IEnumerable<string>)["*"]),
        ["otel_metrics_export.allow_service_graph_self_references"] = static c => c.Metrics.HasSelfReferences,
        ["network.agent_ip_iface"] = static c => c.Network.AgentIPInterface,
        ["network.agent_ip_type"] = static c => c.Network.AgentIPType,
        ["network.cache_active_timeout"] = static c => c.Network.CacheActiveTimeout,
        ["network.cache_max_flows"] = static c => c.Network.CacheMaxFlows,
        ["network.deduper"] = static c => c.Network.Deduper,
        ["network.direction"] = static c => c.Network.Direction,
        ["network.enable"] = static c => c.Network.Enabled,
        ["network.exclude_interfaces"] = static c => string.Join(',', c.Network.ExcludeInterfaces),
        ["network.guess_ports"] = static c => c.Network.GuessPorts ? "ordinal" : "disable",
        ["network.listen_interfaces"] = static c => c.Network.ListenInterfaces,
        ["network.listen_poll_period"] = static c => c.Network.ListenPollPeriod,
        ["network.print_flows"] = static c => c.Network.PrintFlows,
        ["network.require_process"] = static c => c.Network.RequireProcess,
        ["network.reverse_dns.cache_expiry"] = static c => c.Network.ReverseDnsCacheExpiry,
        ["network.reverse_dns.cache_len"] = static c => c.Network.ReverseDnsCacheLength,
        ["network.reverse_dns.type"] = static c => c.Network.ReverseDns,
        ["network.sampling"] = static c => c.Network.Sampling,
        ["network.source"] = static c => c.Network.Source,
        ["otel_metrics_export.compression"] = static c => c.Metrics.Sent!.Otlp.Compress ? "gzip" : "none",
        ["otel_metrics_export.exponential_histogram.max_scale"] = static c => Exponential(c).MaxScale,
        ["otel_metrics_export.exponential_histogram.max_size"] = static c => Exponential(c).MaxSize,
        ["otel_metrics_export.histogram_aggregation"] = static c => c.Metrics.Sent!.Exponential is null
            ? "explicit_bucket_histogram" : "base2_exponential_bucket_histogram",
        ["otel_metrics_export.insecure_skip_verify"] = static c => c.Metrics.Sent!.Otlp.SkipVerify,
        ["otel_metrics_export.OTELIntervalMS"] = static c => (int)c.Metrics.Sent!.Interval.TotalMilliseconds,
        ["otel_metrics_export.temporality"] = static c => c.Metrics.Sent!.Temporality,
        ["otel_metrics_export.timeout"] = static c => c.Metrics.Sent!.Otlp.Timeout,
        ["otel_traces_export.attribute_count_limit"] = static c => c.Traces!.CountLimit,
        ["otel_traces_export.backoff_initial_interval"] = static c => c.Traces!.Otlp.FirstBackoff,
        ["otel_traces_export.backoff_max_elapsed_time"] = static c => c.Traces!.Otlp.GiveUpAfter,
        ["otel_traces_export.backoff_max_interval"] = static c => c.Traces!.Otlp.LongestBackoff,
        ["otel_traces_export.batch_max_size"] = static c => c.Traces!.BatchSize,
        ["otel_traces_export.batch_timeout"] = static c => c.Traces!.BatchDelay,
        ["otel_traces_export.compression"] = static c => c.Traces!.Otlp.Compress ? "gzip" : "none",
        ["otel_traces_export.insecure_skip_verify"] = static c => c.Traces!.Otlp.SkipVerify,
        ["otel_traces_export.instrumentations"] = static c => string.Join(',', c.Traces!.Instrumentations!),
        ["otel_traces_export.queue_size"] = static c => c.Traces!.QueueSize,
        ["otel_traces_export.timeout"] = static c => c.Traces!.Otlp.Timeout,
        ["otel_traces_export.value_length_limit"] = static c => c.Traces!.ValueLimit == int.MaxValue ? 0 : c.Traces.ValueLimit,
        ["stats.print_stats"] = static c => c.Statistics.Print,
        ["shutdown_timeout"] = static c => c.ShutdownTimeout,
        ["trace_printer"] = static c => c.TracePrinter == TracePrinterKind.Disabled ? "disabled" : c.TracePrinter,
        ["discovery.exclude_otel_instrumented_services"] = static c => c.Shaping.ExcludesInstrumented,
        ["discovery.exclude_otel_instrumented_services_span_metrics"] = static c => c.Shaping.ExcludesInstrumentedOfSpanMetrics,
        ["discovery.excluded_linux_system_paths"] = static c => string.Join(',', c.Selection.SystemPaths),
    };

    /// <summary>The tables of docs/configuration.md are what the table of keys makes; BEYLA_UPDATE_DOCS=1 writes them.</summary>
    [Fact]
    public void The_tables_are_made_from_the_keys() => Page.IsMade("configuration.md", ConfigurationDocument.Write);

    [Fact]
    public void Every_setting_says_in_one_sentence_what_it_does() => Assert.All(KeyIndex.All, static key =>
    {
        Assert.Matches("^[A-Z].*[^ ]\\.$", key.Description);
        Assert.DoesNotContain("|", key.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("  ", key.Description, StringComparison.Ordinal);
    });

    /// <summary>A setting that names another one in its description names one that there is.</summary>
    [Fact]
    public void Descriptions_name_settings_that_there_are() => Assert.All(KeyIndex.All, static key =>
        Assert.All(SettingName().Matches(key.Description).Select(static match => match.Value), static name =>
            Assert.True(KeyIndex.Find(name) is not null || KeyIndex.IsSection(name), name)));

    [Fact]
    public void The_defaults_of_the_page_are_those_of_a_configuration_that_nobody_set()
    {
        var configuration = Loaded.From().Configuration;
        // Where nothing is sent there is no object that says how.
        var sending = Loaded.Environment(
            ("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_METRICS_EXPORTER", "otlp"), ("BEYLA_NAME_RESOLVER_SOURCES", "dns")).Configuration;
        configuration = configuration with
        {
            Traces = sending.Traces, Metrics = configuration.Metrics with { Sent = sending.Metrics.Sent, Names = sending.Metrics.Names },
        };
        foreach (var key in KeyIndex.All.Where(static key => key.Built && ConfigurationDocument.Default(key).Length > 0))
        {
            // The one default that is a list of rules (SelectionTests hold what it excludes), the one that names what is not there
            // (NameResolverTests), and what only shows in a URL (OtlpTests).
            if (key.Path is "discovery.default_exclude_instrument" or "otel_traces_export.insecure" or "grafana.otlp.cloud_submit"
                or "otel_metrics_export.insecure" or "name_resolver.sources")
            {
                continue;
            }

            var shown = ConfigurationDocument.Default(key);
            var value = Typed[key.Path](configuration);
            object read = value switch
            {
                TimeSpan => GoDuration.TryParse(shown, out var duration) ? duration : shown,
                bool => bool.Parse(shown),
                uint => uint.Parse(shown),
                int => int.Parse(shown),
                Enum => Enum.Parse(value.GetType(), string.Concat(shown.Where(char.IsAsciiLetterOrDigit)), ignoreCase: true),
                _ => shown,
            };
            Assert.True(value.Equals(read), $"{key.Path}: the page says {shown}, the agent takes {value}");
        }
    }

    /// <summary>They are not made unless they are asked for.</summary>
    private static ExponentialHistograms Exponential(AgentConfiguration configuration) =>
        configuration.Metrics.Sent!.Exponential ?? new ExponentialHistograms();

    /// <summary>
    /// Code that makes a configuration by hand starts from the defaults of the settings, but for what it selects and the interfaces it
    /// leaves out.
    /// </summary>
    [Theory]
    [InlineData(typeof(AgentConfiguration), new[]
    {
        nameof(AgentConfiguration.Selection), nameof(AgentConfiguration.Network), nameof(AgentConfiguration.Shaping),
        nameof(AgentConfiguration.Statistics), nameof(AgentConfiguration.TracesOptions),
    })]
    [InlineData(typeof(TracesOptions), new[] { nameof(TracesOptions.Instrumentations) })]
    [InlineData(typeof(ShapingConfiguration), new[] { nameof(ShapingConfiguration.Routes) })]
    [InlineData(typeof(RoutesConfiguration), new string[0])]
    [InlineData(typeof(StatisticsConfiguration), new string[0])]
    [InlineData(typeof(NetworkConfiguration), new[] { nameof(NetworkConfiguration.ExcludeInterfaces) })]
    public void A_configuration_made_by_hand_has_the_same_defaults(Type type, string[] except)
    {
        var loaded = Loaded.From().Configuration;
        object read = type == typeof(AgentConfiguration) ? loaded
            : type == typeof(ShapingConfiguration) ? loaded.Shaping
            : type == typeof(RoutesConfiguration) ? loaded.Shaping.Routes
            : type == typeof(StatisticsConfiguration) ? loaded.Statistics
            : type == typeof(TracesOptions) ? loaded.TracesOptions : loaded.Network;
        var made = Activator.CreateInstance(type);
        Assert.All(
            type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => !except.Contains(property.Name)),
            property => Assert.Equal(property.GetValue(made), property.GetValue(read)));
    }

    [Fact]
    public void Every_variable_that_the_documentation_names_is_one_of_a_setting()
    {
        var named = Directory.GetFiles(Page.Directory, "*.md").Append(Path.Combine(Page.Directory, "../README.md"))
            .SelectMany(static file => Variable().Matches(File.ReadAllText(file))
                .Select(match => (File: Path.GetFileName(file), Name: match.Value))).ToList();
        Assert.Contains(named, static variable => variable.Name == "BEYLA_OPEN_PORT");
        Assert.All(named, static variable => Assert.True(
            KeyIndex.FindByVariable(variable.Name).Count > 0 || NoSettings.ContainsKey(variable.Name),
            $"{variable.File} names {variable.Name}, which no setting has; the nearest is {KeyIndex.NearestVariable(variable.Name)}"));
        // What is excused must be named somewhere, or a slip of the pen could hide here later.
        Assert.All(NoSettings.Keys, name => Assert.Contains(named, variable => variable.Name == name));
    }

    [GeneratedRegex(@"\bBEYLA_[A-Z0-9_]*")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\b[a-z_]+(\.[a-zA-Z_]+)+\b")]
    private static partial Regex SettingName();
}

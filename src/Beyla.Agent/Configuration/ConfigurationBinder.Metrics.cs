using System.Globalization;
using System.Net;

namespace Beyla.Agent.Configuration;

/// <summary>Metrics and their page.</summary>
internal sealed partial class ConfigurationBinder
{
    private static readonly string[] UnbuiltFeatures = ["application_runtime", "network_inter_zone", "ebpf"];

    private MetricsConfiguration Metrics()
    {
        var ttl = Shared("ttl");
        var port = (int)Integer("prometheus_export.port");
        var path = PagePath("prometheus_export.path");
        var (ownPort, ownPath) = InternalPage(port, path);
        return new MetricsConfiguration
        {
            Features = Features() | (Boolean("network.enable") ? MetricFeatures.Network : 0),
            Durations = Bounds(Shared("buckets.duration_histogram")),
            RoundTrips = Bounds(Shared("buckets.stat_tcp_rtt_histogram")),
            Port = port,
            Address = PageAddress(),
            Path = path,
            InternalPort = ownPort,
            InternalPath = ownPath,
            SendsInternal = Choice("internal_metrics.exporter") == "otel",
            Idle = Duration(ttl),
            ExpiresOfLiving = Get(ttl).Origin.Source != SettingSource.Default,
            Services = (int)Integer("prometheus_export.service_cache_size"),
            Exemplars = Choice("prometheus_export.exemplar_filter") switch
            {
                "always_off" => ExemplarFilter.AlwaysOff,
                "always_on" => ExemplarFilter.AlwaysOn,
                _ => ExemplarFilter.TraceBased,
            },
            HasSelfReferences = Boolean(Shared("allow_service_graph_self_references")),
            Instrumentations = Get(Shared("instrumentations")).Items.ToHashSet(StringComparer.Ordinal) is var names
                && names.Contains("*") ? null : names,
            ProcessInterval = Duration("processes.interval"),
            UnresolvedClient = Unresolved("incoming"),
            UnresolvedServer = Unresolved("outgoing"),
            Names = Names(),
            HidesBuild = Boolean("prometheus_export.disable_build_info"),
        };
    }

    /// <summary>
    /// The page and OTLP have the same series, so what both have a key for is said by either of them.
    /// </summary>
    /// <returns>The path of the one that counts: that of the page, unless only the other one is set.</returns>
    private string Shared(string name)
    {
        var (page, sent) = (Get("prometheus_export." + name), Get("otel_metrics_export." + name));
        if (sent.Origin.Source == SettingSource.Default)
        {
            return page.Key.Path;
        }

        if (page.Origin.Source == SettingSource.Default)
        {
            return sent.Key.Path;
        }

        if (page.Shown != sent.Shown)
        {
            layers.Warnings.Add($"{sent.Key.Path} ({sent.Origin}) has no effect: {page.Key.Path} ({page.Origin}) says otherwise, and "
                + "the page and OTLP have the same series");
        }

        return page.Key.Path;
    }

    /// <summary>Names of the other side, of the one source of the peer's three that needs nothing but the host's resolver.</summary>
    private NameResolverConfiguration? Names()
    {
        var setting = Get("name_resolver.sources");
        var isAsked = false;
        foreach (var item in setting.Items)
        {
            switch (item.Trim())
            {
                case "dns":
                    isAsked = true;
                    break;
                case "k8s" or "kube" or "kubernetes" or "rdns" when setting.Origin.Source == SettingSource.Default:
                    break;
                case "k8s" or "kube" or "kubernetes":
                    Tell("metadata of Kubernetes is not read");
                    break;
                case "rdns":
                    Tell("answers of name servers are not listened to; dns asks for names");
                    break;
                default:
                    layers.Problems.Add(SettingLayers.Describe(setting, "allowed are dns, k8s and rdns"));
                    break;
            }

            void Tell(string reason) =>
                layers.Warnings.Add($"{setting.Key.Path} ({setting.Origin}): {item.Trim()} has no effect: {reason}");
        }

        return isAsked
            ? new NameResolverConfiguration((int)Integer("name_resolver.cache_len"), Duration("name_resolver.cache_expiry")) : null;
    }

    /// <summary>The name of a side that has none: its own, or the one for both.</summary>
    private string Unresolved(string side)
    {
        var (own, both) = (Get("attributes.rename_unresolved_hosts_" + side), Get("attributes.rename_unresolved_hosts"));
        var setting = own.Origin.Source == SettingSource.Default && both.Origin.Source != SettingSource.Default ? both : own;
        var name = (setting.Text ?? "").Trim();
        if (name.Length is 0 or > 253)
        {
            layers.Problems.Add(SettingLayers.Describe(
                setting, "a name of 1 to 253 characters is expected: it is never the address, since each would be a series"));
        }

        return name;
    }

    private MetricFeatures Features()
    {
        // The older key of the one exporter goes before what is meant for all, as it does in the peer.
        var own = Get(Shared("features"));
        var setting = own.Items.Any() ? own : Get("metrics.features");
        var result = MetricFeatures.None;
        foreach (var item in setting.Items)
        {
            var feature = item.Trim() switch
            {
                "application" => MetricFeatures.Application,
                "application_span" => MetricFeatures.ApplicationSpan,
                "application_span_otel" => MetricFeatures.ApplicationSpanOtel,
                "application_span_sizes" => MetricFeatures.ApplicationSpanSizes,
                "application_service_graph" => MetricFeatures.ApplicationServiceGraph,
                "application_process" => MetricFeatures.ApplicationProcess,
                "application_host" => MetricFeatures.ApplicationHost,
                "network" => MetricFeatures.Network,
                "network_flow_packets" => MetricFeatures.NetworkFlowPackets,
                "stats" => MetricFeatures.OfStatistics,
                "stats_tcp_rtt" => MetricFeatures.StatsTcpRtt,
                "stats_tcp_failed_connections" => MetricFeatures.StatsTcpFailedConnections,
                "stats_tcp_successful_connections" => MetricFeatures.StatsTcpSuccessfulConnections,
                "stats_tcp_retransmits" => MetricFeatures.StatsTcpRetransmits,
                "stats_tcp_io" => MetricFeatures.StatsTcpIo,
                "all" or "*" => MetricFeatures.All,
                _ => MetricFeatures.None,
            };
            result |= feature;
            if (feature == MetricFeatures.None)
            {
                Tell(setting, item);
            }
        }

        if (result.HasFlag(MetricFeatures.ApplicationSpan | MetricFeatures.ApplicationSpanOtel))
        {
            layers.Problems.Add(SettingLayers.Describe(
                setting, "application_span and application_span_otel are the same metrics with two sets of names: only one can be chosen"));
        }

        return result;
    }

    private void Tell(Setting setting, string item)
    {
        if (UnbuiltFeatures.Contains(item.Trim()))
        {
            layers.Warnings.Add($"{setting.Key.Path} ({setting.Origin}): {item.Trim()} is not built in this agent and has no effect");
        }
        else
        {
            layers.Problems.Add(SettingLayers.Describe(setting,
                "allowed are application, application_span, application_span_otel, application_span_sizes, application_service_graph, "
                + "application_process, application_host, network, network_flow_packets, stats, stats_tcp_rtt, "
                + "stats_tcp_failed_connections, stats_tcp_successful_connections, stats_tcp_retransmits, stats_tcp_io and all"));
        }
    }

    private IPAddress PageAddress()
    {
        var setting = Get("prometheus_export.host");
        var text = setting.Text ?? "";
        if (text is "" or "localhost")
        {
            return IPAddress.Loopback;
        }

        if (SettingValue.TryAddress(text, out var address))
        {
            return address;
        }

        layers.Problems.Add(SettingLayers.Describe(setting, "an IPv4 or IPv6 address is expected, or localhost"));
        return IPAddress.Loopback;
    }

    /// <summary>The page about the agent: at the port of the other one unless it has its own; 0 where it is not asked for.</summary>
    private (int Port, string Path) InternalPage(int port, string path)
    {
        var own = PagePath("internal_metrics.prometheus.path");
        var exporter = Get("internal_metrics.exporter");
        switch (Choice("internal_metrics.exporter"))
        {
            case "prometheus":
                break;
            default:
                return (0, own);
        }

        var ownPort = (int)Integer("internal_metrics.prometheus.port") is > 0 and var set ? set : port;
        if (ownPort == 0)
        {
            layers.Problems.Add(SettingLayers.Describe(exporter, "a port is needed: internal_metrics.prometheus.port"));
        }
        else if (ownPort == port && own == path)
        {
            layers.Problems.Add(SettingLayers.Describe(
                Get("internal_metrics.prometheus.path"), "the page of prometheus_export is at the same path of the same port"));
        }

        return (ownPort, own);
    }

    private string PagePath(string key)
    {
        var setting = Get(key);
        var path = setting.Text is { Length: > 0 } text ? text : setting.Key.Default;

        if (path[0] != '/' || path.AsSpan().ContainsAnyExceptInRange('!', '~') || path.AsSpan().ContainsAny('?', '#'))
        {
            layers.Problems.Add(SettingLayers.Describe(setting, "a path such as /metrics is expected"));
        }

        return path;
    }

    /// <summary>Bounds of buckets; null where none are set.</summary>
    private double[]? Bounds(string path)
    {
        var setting = Get(path);
        var bounds = new List<double>();
        foreach (var item in setting.Items)
        {
            if (!double.TryParse(item, NumberStyles.Float, CultureInfo.InvariantCulture, out var bound) || !double.IsFinite(bound)
                || (bounds.Count > 0 && bound <= bounds[^1]) || bounds.Count == 128)
            {
                layers.Problems.Add(SettingLayers.Describe(setting, "up to 128 numbers are expected, each larger than the one before"));
                return null;
            }

            bounds.Add(bound);
        }

        return bounds.Count == 0 ? null : [.. bounds];
    }
}

using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>Where telemetry is sent.</summary>
internal sealed partial class ConfigurationBinder
{
    /// <summary>What the specification has as the general endpoint, to which the path of each signal is added.</summary>
    private const string GeneralEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly List<(string Key, string Path)> named = [];
    private readonly HashSet<string> told = new(StringComparer.Ordinal); // variables and settings

    /// <summary>A reader that stands still is waited for: a line that is begun ends, or nothing comes behind it.</summary>
    private static readonly OtlpConfiguration StandardOutput = new()
    {
        Endpoint = new Uri("file:///dev/stdout"), Protocol = OtlpProtocol.JsonLines, GiveUpAfter = TimeSpan.Zero,
    };

    /// <summary>Lines of requests leave no room for others between them.</summary>
    private void CheckStandardOutput()
    {
        if (!layers.StreamsTraces && !layers.StreamsMetrics)
        {
            return;
        }

        var variable = layers.StreamsTraces ? "OTEL_TRACES_EXPORTER" : "OTEL_METRICS_EXPORTER";
        var error = $"standard output belongs to otlp/stdout of {variable}";
        if (Choice("trace_printer") is not ("" or "disabled"))
        {
            layers.Problems.Add(SettingLayers.Describe(Get("trace_printer"), error));
        }

        if (Boolean("network.print_flows"))
        {
            layers.Problems.Add(SettingLayers.Describe(Get("network.print_flows"), error));
        }

        if (Boolean("stats.print_stats"))
        {
            layers.Problems.Add(SettingLayers.Describe(Get("stats.print_stats"), error));
        }
    }

    private TracesExport? Traces()
    {
        const string Section = "otel_traces_export";
        var otlp = layers.StreamsTraces ? StandardOutput
            : layers.SendsTraces == false ? null : Otlp(Section, "traces", layers.SendsTraces == true);
        if (otlp is null)
        {
            return null;
        }

        return new TracesExport(TracesOptions())
        {
            Otlp = layers.StreamsTraces ? otlp : otlp with
            {
                FirstBackoff = Duration(Section + ".backoff_initial_interval"),
                LongestBackoff = Duration(Section + ".backoff_max_interval"),
                GiveUpAfter = WithExportTimeout(Section, Get(Section + ".timeout").Origin.Source == SettingSource.Default
                    ? Duration(Section + ".backoff_max_elapsed_time") : otlp.Timeout),
            },
        };
    }

    private TracesOptions TracesOptions()
    {
        const string Section = "otel_traces_export";
        return new TracesOptions
        {
            Instrumentations = Get(Section + ".instrumentations").Items.ToHashSet(StringComparer.Ordinal),
            BatchSize = (int)Integer(Section + ".batch_max_size"),
            BatchDelay = Duration(Section + ".batch_timeout"),
            QueueSize = (int)Integer(Section + ".queue_size"),
            CountLimit = (int)Integer(Section + ".attribute_count_limit"),
            ValueLimit = Integer(Section + ".value_length_limit") is > 0 and var limit ? (int)limit : int.MaxValue,
        };
    }

    /// <summary>What is to be sent needs somebody to send it to.</summary>
    private MetricsConfiguration CheckInternal(MetricsConfiguration metrics)
    {
        if (metrics is { SendsInternal: true, Sent: null })
        {
            layers.Problems.Add(SettingLayers.Describe(
                Get("internal_metrics.exporter"), "an endpoint is needed: OTEL_EXPORTER_OTLP_ENDPOINT (otel_metrics_export.endpoint)"));
        }

        return metrics;
    }

    private MetricsExport? SentMetrics()
    {
        const string Section = "otel_metrics_export";
        var otlp = layers.StreamsMetrics ? StandardOutput
            : layers.SendsMetrics == false ? null : Otlp(Section, "metrics", layers.SendsMetrics == true);
        if (otlp is null)
        {
            return null;
        }

        var interval = Duration(Section + ".interval");
        return new MetricsExport
        {
            Otlp = layers.StreamsMetrics ? otlp : otlp with
            {
                GiveUpAfter = WithExportTimeout(
                    Section, Get(Section + ".timeout").Origin.Source == SettingSource.Default ? otlp.GiveUpAfter : otlp.Timeout),
            },
            Interval = interval > TimeSpan.Zero ? interval : TimeSpan.FromMilliseconds(Integer(Section + ".OTELIntervalMS")),
            Temporality = Choice(Section + ".temporality") switch
            {
                "delta" => MetricTemporality.Delta,
                "lowmemory" => MetricTemporality.LowMemory,
                _ => MetricTemporality.Cumulative,
            },
            Exponential = Choice(Section + ".histogram_aggregation") == "base2_exponential_bucket_histogram"
                ? new ExponentialHistograms(
                    (int)Integer(Section + ".exponential_histogram.max_size"), (int)Integer(Section + ".exponential_histogram.max_scale"))
                : null,
        };
    }

    /// <summary>The shorter of two limits; zero is none.</summary>
    private TimeSpan WithExportTimeout(string section, TimeSpan limit)
    {
        var own = Duration(section + ".export_timeout");
        return own > TimeSpan.Zero && (limit <= TimeSpan.Zero || own < limit) ? own : limit;
    }

    /// <summary>The settings that the exports of all signals have.</summary>
    /// <param name="section">Where they are in YAML.</param>
    /// <param name="signal">What is sent: a part of the path of the URL.</param>
    /// <param name="isWanted">Whether it is sent though no endpoint is named.</param>
    /// <returns>Null where it is not sent, or where it is wrong.</returns>
    private OtlpConfiguration? Otlp(string section, string signal, bool isWanted)
    {
        var endpoint = Get(section + ".endpoint");
        var cloud = Cloud(signal);
        if (string.IsNullOrWhiteSpace(endpoint.Text) && cloud is null && !isWanted)
        {
            return null;
        }

        var protocol = Choice(section + ".protocol") switch
        {
            "grpc" => OtlpProtocol.Grpc,
            "http/json" => OtlpProtocol.HttpJson,
            "http/protobuf" => OtlpProtocol.HttpProtobuf,
            _ => (OtlpProtocol?)null,
        };
        List<KeyValuePair<string, string>> headers = [];
        if (!OtlpHeaders.TryParse(Get(section + ".headers").Text ?? "", headers, out var error))
        {
            TellOnce(Get(section + ".headers"), error);
        }

        Uri? url;
        if (!string.IsNullOrWhiteSpace(endpoint.Text))
        {
            var isGeneral = endpoint.Origin.Detail == GeneralEndpoint;
            if (!OtlpEndpoint.TryParse(
                endpoint.Text.Trim(), signal, isGeneral, Boolean(section + ".insecure"), ref protocol, out url, out error))
            {
                TellOnce(endpoint, error);
                return null;
            }
        }
        else if (cloud is { } gateway)
        {
            (url, protocol) = (new Uri($"{gateway.Url}/v1/{signal}"), OtlpProtocol.HttpProtobuf);
            headers.Insert(0, new("Authorization", gateway.Authorization));
        }
        else
        {
            protocol ??= OtlpProtocol.HttpProtobuf;
            url = new Uri(protocol == OtlpProtocol.Grpc ? "http://localhost:4317" : $"http://localhost:4318/v1/{signal}");
        }

        return new OtlpConfiguration
        {
            Endpoint = url,
            Protocol = protocol ?? OtlpProtocol.HttpProtobuf,
            Headers = headers,
            Timeout = Duration(section + ".timeout"),
            Compress = Choice(section + ".compression") == "gzip",
            RootsFile = Path(section + ".certificate"),
            ClientCertificateFile = Path(section + ".client_certificate"),
            ClientKeyFile = Path(section + ".client_key"),
            SkipVerify = Boolean(section + ".insecure_skip_verify"),
        };
    }

    /// <summary>The shortcut to Grafana Cloud: the gateway of a zone, with instance and key as user and password.</summary>
    private (string Url, string Authorization)? Cloud(string signal)
    {
        var (zone, instance, key) = (Get("grafana.otlp.cloud_zone").Text, Get("grafana.otlp.cloud_instance_id").Text,
            Get("grafana.otlp.cloud_api_key").Text);
        if (string.IsNullOrEmpty(zone) || string.IsNullOrEmpty(key) || !Get("grafana.otlp.cloud_submit").Items.Contains(signal))
        {
            return null;
        }

        if (!zone.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter == '-'))
        {
            TellOnce(Get("grafana.otlp.cloud_zone"), "the name of a zone such as eu-west-0 is expected");
            return null;
        }

        return ($"https://otlp-gateway-{zone}.grafana.net/otlp",
            "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(instance + ":" + key)));
    }

    /// <summary>Adds a problem, unless the same value was wrong for another signal.</summary>
    private void TellOnce(Setting setting, string error)
    {
        if (told.Add(setting.Origin.Source == SettingSource.Environment ? setting.Origin.Detail : setting.Key.Path))
        {
            layers.Problems.Add(SettingLayers.Describe(setting, error));
        }
    }

    /// <summary>The path of a file that the keeper reads for the worker, which it is told of.</summary>
    private string? Path(string key)
    {
        var setting = Get(key);
        if (setting.Text is not { Length: > 0 } path)
        {
            return null;
        }

        // Where all signals have the same certificate it is one file.
        if (!named.Exists(file => file.Path == path))
        {
            named.Add(($"{key} ({setting.Origin})", path));
        }

        return path;
    }
}

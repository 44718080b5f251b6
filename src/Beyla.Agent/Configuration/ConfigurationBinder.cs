using Beyla.Agent.Logging;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Makes the typed configuration out of checked settings. A value that did not pass its check counts as its default here.
/// </summary>
internal sealed partial class ConfigurationBinder(SettingLayers layers)
{
    /// <summary>Binds every setting. What only shows here to be wrong is added to the problems and warnings of the layers.</summary>
    public AgentConfiguration Bind()
    {
        var ringSize = (uint)Integer("ebpf.ring_size");
        if ((ringSize & (ringSize - 1)) != 0 || ringSize % (uint)Environment.SystemPageSize != 0)
        {
            layers.Problems.Add(
                SettingLayers.Describe(
                    Get("ebpf.ring_size"), $"a power of two that is a multiple of {Environment.SystemPageSize} is expected"));
        }

        var selection = new SelectionBuilder(layers).Build();
        var metrics = Metrics() with
        {
            ServiceFeatures = selection.Rules.Aggregate(
                MetricFeatures.None, static (sum, rule) => sum | ServiceFeatures.Of(rule.Features ?? [])),
        };
        CheckStandardOutput();
        var configuration = new AgentConfiguration
        {
            Selection = selection,
            TracePrinter = Choice("trace_printer") switch
            {
                "counter" => TracePrinterKind.Counter,
                "text" => TracePrinterKind.Text,
                "json" => TracePrinterKind.Json,
                "json_indent" => TracePrinterKind.JsonIndent,
                _ => TracePrinterKind.Disabled,
            },
            Shaping = Shaping(),
            EnforceSysCaps = Boolean("enforce_sys_caps"),
            ExitWithParent = Boolean("exit_with_parent"),
            LogLevel = Choice("log_level") switch
            {
                "DEBUG" => LogLevel.Debug,
                "WARN" => LogLevel.Warn,
                "ERROR" => LogLevel.Error,
                _ => LogLevel.Info,
            },
            LogFormat = Choice("log_format") == "json" ? LogFormat.Json : LogFormat.Text,
            LogConfig = Choice("log_config") switch
            {
                "yaml" => LoggedConfiguration.Yaml,
                "json" => LoggedConfiguration.Json,
                _ => LoggedConfiguration.None,
            },
            HttpRequestTimeout = Duration("ebpf.http_request_timeout"),
            PostgresPreparedStatements = (int)Integer("ebpf.postgres_prepared_statements_cache_size"),
            PostgresTextLength = (int)Integer("ebpf.buffer_sizes.postgres"),
            DetectsSql = Boolean("ebpf.heuristic_sql_detect"),
            ContextPropagation = Propagation(),
            ShowsRedisDatabase = Boolean("ebpf.redis_db_cache.enabled"),
            SensitiveQueryParameters = Sensitive(),
            SocketSource = Choice("ebpf.socket_source") switch
            {
                "tracepoints" => SocketSourceKind.Tracepoints,
                "fentry" => SocketSourceKind.Fentry,
                "syscalls" => SocketSourceKind.Syscalls,
                _ => SocketSourceKind.Auto,
            },
            RingSize = ringSize,
            PollInterval = Duration("ebpf.poll_interval"),
            ShutdownTimeout = Duration("shutdown_timeout"),
            Network = Network(metrics.Features),
            Traces = Traces(),
            TracesOptions = TracesOptions(),
            Metrics = CheckInternal(metrics with { Sent = SentMetrics() }),
            // After all that names one.
            NamedFiles = named,
        };
        return configuration with { Statistics = Statistics(configuration.Metrics) };
    }

    /// <summary>The older key only counts where the newer one says nothing; it asks for all.</summary>
    private ContextPropagation Propagation()
    {
        var way = Get("ebpf.context_propagation");
        if (way.Origin.Source == SettingSource.Default && Boolean("ebpf.enable_context_propagation"))
        {
            return ContextPropagation.All;
        }

        switch (Choice("ebpf.context_propagation"))
        {
            case "headers":
                return ContextPropagation.Headers;
            case "tcp":
                return ContextPropagation.Tcp;
            case "all" or "headers,tcp" or "tcp,headers":
                return ContextPropagation.All;
            case "ip":
                layers.Warnings.Add(
                    $"ebpf.context_propagation = \"ip\" ({way.Origin}) is not built in this agent; trace context is not passed on. "
                        + "Use headers, tcp or all");
                return ContextPropagation.Disabled;
            default:
                return ContextPropagation.Disabled;
        }
    }

    /// <param name="features">Those of flows need them, which is as good as <c>network.enable</c>; that in turn is among them.</param>
    private NetworkConfiguration Network(MetricFeatures features)
    {
        var active = Duration("network.cache_active_timeout");
        var expiry = Get("network.deduper_fc_ttl");
        SettingValue.TryAddress(Get("network.agent_ip").Text ?? "", out var agentIP);
        SettingValue.Networks(Get("network.cidrs"), out var cidrs);
        var reverseDns = Get("network.reverse_dns.type");
        if (Choice("network.reverse_dns.type") == "ebpf")
        {
            layers.Warnings.Add(
                $"network.reverse_dns.type = \"ebpf\" ({reverseDns.Origin}) is not built in this agent; names are not looked up");
        }

        return new NetworkConfiguration
        {
            Enabled = (features & MetricFeatures.OfFlows) != 0,
            Source = Choice("network.source") == "tc" ? FlowSource.TrafficControl : FlowSource.SocketFilter,
            TrafficControlBackend = Choice("ebpf.traffic_control_backend") switch
            {
                "tc" => TrafficControlBackend.Tc,
                "tcx" => TrafficControlBackend.Tcx,
                _ => TrafficControlBackend.Auto,
            },
            Interfaces = Names("network.interfaces"),
            ExcludeInterfaces = Names("network.exclude_interfaces"),
            Protocols = Protocols("network.protocols"),
            ExcludeProtocols = Protocols("network.exclude_protocols"),
            CacheMaxFlows = (int)Integer("network.cache_max_flows"),
            CacheActiveTimeout = active,
            Deduper = Choice("network.deduper") == "none" ? FlowDeduper.None : FlowDeduper.FirstCome,
            DeduperExpiry = expiry.Origin.Source == SettingSource.Default ? active * 2 : Duration("network.deduper_fc_ttl"),
            Direction = Choice("network.direction") switch
            {
                "ingress" => FlowDirections.Ingress,
                "egress" => FlowDirections.Egress,
                _ => FlowDirections.Both,
            },
            Sampling = (int)Integer("network.sampling"),
            ListenInterfaces = Choice("network.listen_interfaces") == "poll" ? InterfaceListener.Poll : InterfaceListener.Watch,
            ListenPollPeriod = Duration("network.listen_poll_period"),
            AgentIP = string.IsNullOrEmpty(Get("network.agent_ip").Text) ? null : agentIP,
            AgentIPInterface = Get("network.agent_ip_iface").Text ?? "external",
            AgentIPType = Choice("network.agent_ip_type") switch
            {
                "ipv4" => AgentAddressType.IPv4,
                "ipv6" => AgentAddressType.IPv6,
                _ => AgentAddressType.Any,
            },
            Cidrs = cidrs,
            ReverseDns = Choice("network.reverse_dns.type") == "local" ? ReverseDnsType.Local : ReverseDnsType.None,
            ReverseDnsCacheLength = (int)Integer("network.reverse_dns.cache_len"),
            ReverseDnsCacheExpiry = Duration("network.reverse_dns.cache_expiry"),
            GuessPorts = Choice("network.guess_ports") == "ordinal",
            Filter = Filter("filter.network", FilterAttribute.OfFlows),
            PrintFlows = Boolean("network.print_flows"),
            RequireProcess = Boolean("network.require_process"),
        };
    }

    /// <param name="metrics">With where they are sent: other than of flows, nothing is counted that nobody gets.</param>
    private StatisticsConfiguration Statistics(MetricsConfiguration metrics)
    {
        SettingValue.Networks(Get("stats.cidrs"), out var cidrs);
        var prints = Boolean("stats.print_stats");
        return new StatisticsConfiguration
        {
            Enabled = prints || metrics.TakesStatistics,
            Print = prints,
            Cidrs = cidrs,
            Filter = Filter("filter.stats", FilterAttribute.OfStatistics),
        };
    }

    private System.Collections.Frozen.FrozenSet<string> Sensitive()
    {
        var add = Get("attributes.sensitive_query_params.add");
        var remove = Get("attributes.sensitive_query_params.remove");
        return add.Origin.Source == SettingSource.Default && remove.Origin.Source == SettingSource.Default
            ? SensitiveQueryParameters.Default
            : SensitiveQueryParameters.Make(add.Items, remove.Items);
    }

    private Setting Get(string path) => layers[KeyIndex.Get(path)];

    private bool Boolean(string path) => SettingValue.TryBoolean(Get(path).Text ?? "", out var value) && value;

    private string Choice(string path) => SettingValue.TryChoice(KeyIndex.Get(path), Get(path).Text ?? "", out var choice) ? choice : "";

    private long Integer(string path)
    {
        var key = KeyIndex.Get(path);
        if (SettingValue.TryInteger(Get(path).Text ?? "", out var value) && value >= key.Minimum && value <= key.Maximum)
        {
            return value;
        }

        SettingValue.TryInteger(key.Default, out value);
        return value;
    }

    private TimeSpan Duration(string path)
    {
        return GoDuration.TryParse(Get(path).Text ?? "", out var value) || GoDuration.TryParse(KeyIndex.Get(path).Default, out value)
            ? value : TimeSpan.Zero;
    }

    private List<NamePattern> Names(string path)
    {
        var names = new List<NamePattern>();
        foreach (var item in Get(path).Items)
        {
            if (NamePattern.TryParse(item, out var name, out _))
            {
                names.Add(name);
            }
        }

        return names;
    }

    private HashSet<byte> Protocols(string path)
    {
        var protocols = new HashSet<byte>();
        foreach (var item in Get(path).Items)
        {
            if (TransportProtocol.TryParse(item, out var number))
            {
                protocols.Add(number);
            }
        }

        return protocols;
    }
}

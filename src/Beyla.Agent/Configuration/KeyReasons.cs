namespace Beyla.Agent.Configuration;

/// <summary>
/// Why settings of the peer are refused: each one that has no effect has its reason here, by its path or the beginning of it; the longest
/// beginning counts. It stands in the warning and in docs/configuration.md. A setting that is built says nothing of it.
/// </summary>
internal static class KeyReasons
{
    private const string Kubernetes = "metadata of Kubernetes is not read: select and name by executable, port or OTEL_SERVICE_NAME",
        Countries = "addresses are not looked up in databases of countries and networks; network.cidrs and stats.cidrs name networks",
        Harvest = "routes are not read out of programs; name them in routes.patterns",
        Protocol = "this protocol is not traced",
        Content = "contents of messages are never read: they hold secrets",
        Logs = "lines that programs log are not changed",
        Injector = "nothing is loaded into other programs: the agent watches from outside",
        Channels = "there are no such channels: each queue has a fixed bound in bytes, and what finds no room is lost and counted",
        Batches = "the kernel side wakes the agent by time, not by number; ebpf.poll_interval and ebpf.ring_size are the settings of that",
        Discovery = "nothing is polled: the kernel tells of each process as it begins, which is traced from its first request",
        Models = "calls to models are not told apart from other requests",
        Sizes = "sizes of bodies are counted (application_span_sizes), not sorted into buckets",
        Joined = "target_info has all attributes of a service, and is joined by job and instance",
        OneLog = "no library of OpenTelemetry is in the agent; log_level is for all of it",
        OneExporter = "one exporter serves all services",
        AvoidedServices = "the log names processes that send telemetry themselves, and the counters say what was left out";

    private static readonly (string Start, string Reason)[] Reasons =
    [
        ("attributes.extra_group_attributes", "the groups are of Kubernetes; OTEL_RESOURCE_ATTRIBUTES adds attributes"),
        ("attributes.instance_id.dns", "no name server is asked for the host's own name; attributes.instance_id.override_hostname sets it"),
        ("attributes.kubernetes.", Kubernetes),
        ("attributes.metadata_retry.", "no metadata service of a cloud is asked; OTEL_RESOURCE_ATTRIBUTES names region and zone"),
        ("channel_", Channels),
        ("discovery.bpf_pid_filter_off", "what is not selected never leaves the kernel: without that filter all traffic of the host would"),
        ("discovery.default_exclude_services", "discovery.default_exclude_instrument takes globs instead"),
        ("discovery.default_otlp_grpc_port",
            "a process that sends telemetry itself is recognised by its requests over HTTP; discovery.exclude_instrument leaves one out"),
        ("discovery.disabled_route_harvesters", Harvest),
        ("discovery.min_process_age", Discovery),
        ("discovery.poll_interval", Discovery),
        ("discovery.process_context_poll_interval",
            "the memory of programs is not read; a process says what it is by OTEL_RESOURCE_ATTRIBUTES"),
        ("discovery.route_harvester", Harvest),
        ("discovery.skip_go_specific_tracers",
            "Go programs are traced by their sockets; functions of Go only tell which request caused which call"),
        ("discovery.survey", "there is no metric of processes that are not traced; beyla config and the log name those that are"),
        ("ebpf.batch_", Batches),
        ("ebpf.bpf_debug", "the kernel side prints nothing; log_level is for the agent"),
        ("ebpf.bpf_fs_path", "nothing is pinned in the file system, so that nothing stays behind"),
        ("ebpf.buffer_sizes.", "so much of a message is read as its head needs; bodies are not"),
        ("ebpf.couchbase_", Protocol),
        ("ebpf.disable_black_box_cp", "each parent says how it was found (parentSource), so that such links can be told apart"),
        ("ebpf.dns_request_timeout", Protocol),
        ("ebpf.force_bpf_map_reader", "the way to read maps is tried out at start"),
        ("ebpf.go_http_client_buffer_timeout", "headers of Go programs are read from their sockets, not put together from functions"),
        ("ebpf.high_request_volume", "a span is told when its answer ends, and so has its size, its end and how it ended"),
        ("ebpf.instrument_cuda", "graphics processors are not watched"),
        ("ebpf.kafka_", Protocol),
        ("ebpf.log_enricher.", Logs),
        ("ebpf.maps_config.", "maps have the size that their bounds need; ebpf.ring_size is the one that can be set"),
        ("ebpf.max_transaction_time", "an exchange is kept as long as its connection lives; ebpf.http_request_timeout ends one that waits"),
        ("ebpf.mongo_", Protocol),
        ("ebpf.mssql_", Protocol),
        ("ebpf.mysql_", Protocol),
        ("ebpf.override_bpfloop_enabled", "no program needs bpf_loop"),
        ("ebpf.payload_extraction.", Content),
        ("ebpf.protocol_debug_print", "bytes of messages are never printed: they hold secrets"),
        ("ebpf.redis_db_cache.max_size", "the database is kept with its connection, so there is no cache to bound"),
        ("ebpf.stats_wakeup_data_bytes", "TCP statistics are read by the clock, and before the ring is full"),
        ("ebpf.track_request_headers", "the trace context of requests is looked for in any case"),
        ("ebpf.wakeup_len", Batches),
        ("health_check.", "nothing listens for questions about health; the exit code and the log of the agent tell"),
        ("injector.", Injector),
        ("internal_metrics.avoided_services.", AvoidedServices),
        ("internal_metrics.bpf_metric_scrape_interval", "the counters of the kernel side are read when the page is read"),
        ("javaagent.", Injector),
        ("jvm_runtime_metrics.", Injector),
        ("network.geo_ip.", Countries),
        ("nodejs.", Injector),
        ("otel_metrics_export.buckets.gen_ai_", Models),
        ("otel_metrics_export.buckets.request_size_histogram", Sizes),
        ("otel_metrics_export.buckets.response_size_histogram", Sizes),
        ("otel_metrics_export.extra_span_resource_attributes", Joined),
        ("otel_metrics_export.otel_sdk_log_level", OneLog),
        ("otel_metrics_export.reporters_cache_len", OneExporter),
        ("otel_traces_export.otel_sdk_log_level", OneLog),
        ("otel_traces_export.reporters_cache_len", OneExporter),
        ("processes.RunMode", "what is measured of processes takes no privilege"),
        ("profile_port", "the agent is no Go program and has no such profiler"),
        ("prometheus_export.buckets.gen_ai_", Models),
        ("prometheus_export.buckets.request_size_histogram", Sizes),
        ("prometheus_export.buckets.response_size_histogram", Sizes),
        ("prometheus_export.extra_resource_attributes", "target_info has all attributes of a service"),
        ("prometheus_export.extra_span_resource_attributes", Joined),
        ("prometheus_export.native_histogram.",
            "they exist in the protobuf form alone, and the page is text; otel_metrics_export.histogram_aggregation has them by OTLP"),
        ("sigil_export", "a product of Grafana that takes no OpenTelemetry data"),
        ("stats.agent_ip", "no address is in metrics of TCP, nor the agent's"),
        ("stats.geo_ip.", Countries),
        ("stats.reverse_dns.", "a name for each other host would be a series for each; stats.cidrs names blocks of addresses"),
        ("topology.spans", "spans of other clusters are not linked by addresses: which call led to which is told by trace context"),
    ];

    /// <summary>The reason of a path; empty where there is none.</summary>
    internal static string Of(string path)
    {
        var (length, found) = (0, "");
        foreach (var (start, reason) in Reasons)
        {
            if (start.Length > length && path.StartsWith(start, StringComparison.Ordinal))
            {
                (length, found) = (start.Length, reason);
            }
        }

        return found;
    }
}

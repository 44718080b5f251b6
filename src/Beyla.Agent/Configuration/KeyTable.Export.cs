namespace Beyla.Agent.Configuration;

/// <summary>Sending spans and metrics to other systems.</summary>
internal static partial class KeyTable
{
    private const string OpenTelemetryTraces = """
        +otel_traces_export.attribute_count_limit|OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT,OTEL_ATTRIBUTE_COUNT_LIMIT|int 0..|128
          Attributes of a span at most; how many more there were is told in their place.
        +otel_traces_export.backoff_initial_interval|BEYLA_BACKOFF_INITIAL_INTERVAL|duration >0|1s
          The first wait before a failed export is tried again; each further one is twice as long.
        +otel_traces_export.backoff_max_elapsed_time|BEYLA_BACKOFF_MAX_ELAPSED_TIME|duration|1m
          How long a failed export is tried again before its spans are given up; 0 is for ever.
        +otel_traces_export.backoff_max_interval|BEYLA_BACKOFF_MAX_INTERVAL|duration >0|30s
          The longest wait before a failed export is tried again.
        +otel_traces_export.batch_max_size|BEYLA_OTLP_TRACES_BATCH_MAX_SIZE,OTEL_BSP_MAX_EXPORT_BATCH_SIZE|int 1..|512
          How many spans one export holds at most.
        +otel_traces_export.batch_timeout|BEYLA_OTLP_TRACES_BATCH_TIMEOUT,OTEL_BSP_SCHEDULE_DELAY|duration|5s
          How long spans wait at most until they are exported.
        +otel_traces_export.certificate|OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,OTEL_EXPORTER_OTLP_CERTIFICATE|text|
          The PEM file with the roots that are trusted, in place of the system's.
        +otel_traces_export.client_certificate|OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE,OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE|text|
          The PEM file with the agent's own certificate.
        +otel_traces_export.client_key|OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY,OTEL_EXPORTER_OTLP_CLIENT_KEY|text|
          The PEM file with the key of the agent's own certificate.
        +otel_traces_export.compression|OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,OTEL_EXPORTER_OTLP_COMPRESSION|one none gzip|none
          How exports are compressed.
        +otel_traces_export.endpoint|OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT|text|
          The URL to which spans are sent, as it is; to OTEL_EXPORTER_OTLP_ENDPOINT /v1/traces is added.
        +otel_traces_export.export_timeout|OTEL_BSP_EXPORT_TIMEOUT|duration >0|
          How long an export is tried, all its requests and waits together; unset is what the other settings give.
        +otel_traces_export.headers|OTEL_EXPORTER_OTLP_TRACES_HEADERS,OTEL_EXPORTER_OTLP_HEADERS|text|
          Headers of each export: name=value, with commas between them and values in percent-encoding.
        +otel_traces_export.insecure|OTEL_EXPORTER_OTLP_TRACES_INSECURE,OTEL_EXPORTER_OTLP_INSECURE|bool|false
          Whether gRPC to an endpoint without a scheme goes without TLS.
        +otel_traces_export.insecure_skip_verify|BEYLA_INSECURE_SKIP_VERIFY|bool|false
          Takes any certificate of the receiver.
        +otel_traces_export.instrumentations|BEYLA_TRACES_INSTRUMENTATIONS|list|*
          The protocols whose spans are exported: http, sql (PostgreSQL too), redis; * is all.
        otel_traces_export.otel_sdk_log_level|BEYLA_SDK_LOG_LEVEL|text|
          The log level of the OpenTelemetry library.
        +otel_traces_export.protocol|OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,OTEL_EXPORTER_OTLP_PROTOCOL|one grpc http/json http/protobuf|
          The form of the export; unset is grpc at port 4317, else http/protobuf.
        +otel_traces_export.queue_size|BEYLA_OTLP_TRACES_QUEUE_SIZE,OTEL_BSP_MAX_QUEUE_SIZE|int 1..|16384
          How many spans wait at most for their export; also no more than 16 MiB.
        otel_traces_export.reporters_cache_len|BEYLA_TRACES_REPORT_CACHE_LEN|int|256
          How many services have an exporter of their own kept.
        +otel_traces_export.sampler.arg|OTEL_TRACES_SAMPLER_ARG|text|
          The argument of the sampler, such as the part of the traces that is kept.
        +otel_traces_export.sampler.name|OTEL_TRACES_SAMPLER|
        """
        + """
        one always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio|parentbased_always_on
          Which traces are kept.
        +otel_traces_export.timeout|OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,OTEL_EXPORTER_OTLP_TIMEOUT|duration|10s
          How long one request may take; 0 is for ever. Where it is set, it is also how long an export is tried.
        +otel_traces_export.value_length_limit|OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT,OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT|int 0..|0
          Characters of an attribute at most; 0 is none but the limits of the stream.
        """;

    private const string OpenTelemetryMetrics = """
        +otel_metrics_export.allow_service_graph_self_references|BEYLA_ALLOW_SERVICE_GRAPH_SELF_REFERENCES|bool|false
          Counts calls of a service to itself in the service graph.
        +otel_metrics_export.buckets.duration_histogram||list|
          Bounds of the buckets for durations, in seconds.
        otel_metrics_export.buckets.gen_ai_client_operation_duration_histogram||list|
          Bounds of the buckets for the durations of calls to models, in seconds.
        otel_metrics_export.buckets.gen_ai_client_token_usage_histogram||list|
          Bounds of the buckets for the tokens of calls to models.
        otel_metrics_export.buckets.request_size_histogram||list|
          Bounds of the buckets for sizes of requests, in bytes.
        otel_metrics_export.buckets.response_size_histogram||list|
          Bounds of the buckets for sizes of responses, in bytes.
        +otel_metrics_export.buckets.stat_tcp_rtt_histogram||list|
          Bounds of the buckets for round-trip times of TCP, in seconds; unset is 0.0005 to 1.
        +otel_metrics_export.certificate|OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE,OTEL_EXPORTER_OTLP_CERTIFICATE|text|
          The PEM file with the roots that are trusted, in place of the system's.
        +otel_metrics_export.client_certificate|OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE,OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE|text|
          The PEM file with the agent's own certificate.
        +otel_metrics_export.client_key|OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY,OTEL_EXPORTER_OTLP_CLIENT_KEY|text|
          The PEM file with the key of the agent's own certificate.
        +otel_metrics_export.compression|OTEL_EXPORTER_OTLP_METRICS_COMPRESSION,OTEL_EXPORTER_OTLP_COMPRESSION|one none gzip|none
          How exports are compressed.
        +otel_metrics_export.endpoint|OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT|text|
          The URL to which metrics are sent, as it is; to OTEL_EXPORTER_OTLP_ENDPOINT /v1/metrics is added.
        +otel_metrics_export.exponential_histogram.max_scale|BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SCALE|int -10..20|20
          The finest scale of an exponential histogram: each power of two is 2^scale buckets.
        +otel_metrics_export.exponential_histogram.max_size|BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SIZE|int 2..1024|160
          How many buckets an exponential histogram has at most.
        +otel_metrics_export.export_timeout|OTEL_METRIC_EXPORT_TIMEOUT|duration >0|
          How long an export is tried, all its requests and waits together; unset is what the other settings give.
        otel_metrics_export.extra_span_resource_attributes|BEYLA_EXTRA_SPAN_RESOURCE_ATTRIBUTES|list|
          Resource attributes that are added to the metrics made from spans.
        +otel_metrics_export.features||list|
          Deprecated: as metrics.features, for this exporter.
        +otel_metrics_export.headers|OTEL_EXPORTER_OTLP_METRICS_HEADERS,OTEL_EXPORTER_OTLP_HEADERS|text|
          Headers of each export: name=value, with commas between them and values in percent-encoding.
        +otel_metrics_export.histogram_aggregation|OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION|
        """
        + """
        one base2_exponential_bucket_histogram explicit_bucket_histogram|explicit_bucket_histogram
          Whether the buckets that are sent have fixed or exponential bounds; on the page of Prometheus they have fixed ones.
        +otel_metrics_export.insecure|OTEL_EXPORTER_OTLP_METRICS_INSECURE,OTEL_EXPORTER_OTLP_INSECURE|bool|false
          Whether gRPC to an endpoint without a scheme goes without TLS.
        +otel_metrics_export.insecure_skip_verify|BEYLA_INSECURE_SKIP_VERIFY|bool|false
          Takes any certificate of the receiver.
        +otel_metrics_export.instrumentations|BEYLA_METRICS_INSTRUMENTATIONS|list|*
          The protocols whose metrics are exported.
        +otel_metrics_export.interval|BEYLA_METRICS_INTERVAL|duration >0|
          How often metrics are sent; unset is otel_metrics_export.OTELIntervalMS.
        otel_metrics_export.otel_sdk_log_level|BEYLA_SDK_LOG_LEVEL|text|
          The log level of the OpenTelemetry library.
        +otel_metrics_export.OTELIntervalMS|OTEL_METRIC_EXPORT_INTERVAL|int 1..2147483647|60000
          How often metrics are sent, in milliseconds.
        +otel_metrics_export.protocol|OTEL_EXPORTER_OTLP_METRICS_PROTOCOL,OTEL_EXPORTER_OTLP_PROTOCOL|one grpc http/json http/protobuf|
          The form of the export; unset is grpc at port 4317, else http/protobuf.
        otel_metrics_export.reporters_cache_len|BEYLA_METRICS_REPORT_CACHE_LEN|int|256
          How many services have an exporter of their own kept.
        +otel_metrics_export.temporality|OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE|one cumulative delta lowmemory|cumulative
          Whether counters and histograms count from the beginning of their series (cumulative) or from the point before.
        +otel_metrics_export.timeout|OTEL_EXPORTER_OTLP_METRICS_TIMEOUT,OTEL_EXPORTER_OTLP_TIMEOUT|duration|10s
          How long one request may take; 0 is for ever. Where it is set, it is also how long an export is tried.
        +otel_metrics_export.ttl|BEYLA_METRICS_TTL|duration|5m
          How long a metric without news is kept.
        """;

    private const string Prometheus = """
        +prometheus_export.allow_service_graph_self_references|BEYLA_PROMETHEUS_ALLOW_SERVICE_GRAPH_SELF_REFERENCES|bool|false
          Counts calls of a service to itself in the service graph.
        +prometheus_export.buckets.duration_histogram||list|
          Bounds of the buckets for durations, in seconds.
        prometheus_export.buckets.gen_ai_client_operation_duration_histogram||list|
          Bounds of the buckets for the durations of calls to models, in seconds.
        prometheus_export.buckets.gen_ai_client_token_usage_histogram||list|
          Bounds of the buckets for the tokens of calls to models.
        prometheus_export.buckets.request_size_histogram||list|
          Bounds of the buckets for sizes of requests, in bytes.
        prometheus_export.buckets.response_size_histogram||list|
          Bounds of the buckets for sizes of responses, in bytes.
        +prometheus_export.buckets.stat_tcp_rtt_histogram||list|
          Bounds of the buckets for round-trip times of TCP, in seconds; unset is 0.0005 to 1.
        +prometheus_export.disable_build_info|BEYLA_PROMETHEUS_DISABLE_BUILD_INFO|bool|false
          Leaves out the metric about the build of the agent.
        +prometheus_export.exemplar_filter|BEYLA_PROMETHEUS_EXEMPLAR_FILTER,OTEL_METRICS_EXEMPLAR_FILTER|
        """
        + """
        one always_off always_on trace_based|trace_based
          Which measurements name their trace as an example.
        prometheus_export.extra_resource_attributes|BEYLA_PROMETHEUS_EXTRA_RESOURCE_ATTRIBUTES|list|
          Resource attributes that are added to the metric target_info.
        prometheus_export.extra_span_resource_attributes|BEYLA_PROMETHEUS_EXTRA_SPAN_RESOURCE_ATTRIBUTES|list|
          Resource attributes that are added to the metrics made from spans.
        +prometheus_export.features|BEYLA_PROMETHEUS_FEATURES|list|
          Deprecated: as metrics.features, for this exporter.
        +prometheus_export.host|BEYLA_PROMETHEUS_HOST,OTEL_EXPORTER_PROMETHEUS_HOST|text|127.0.0.1
          The address on which the metrics can be read: only from this host, unless it is another one; 0.0.0.0 or :: opens it to all.
        +prometheus_export.instrumentations|BEYLA_PROMETHEUS_INSTRUMENTATIONS|list|*
          The protocols whose metrics are exported.
        prometheus_export.native_histogram.bucket_factor|BEYLA_PROMETHEUS_NATIVE_HISTOGRAM_BUCKET_FACTOR|number|1.1
          How much larger each bucket of a native histogram is than the one before.
        prometheus_export.native_histogram.max_bucket_number|BEYLA_PROMETHEUS_NATIVE_HISTOGRAM_MAX_BUCKET_NUMBER|int|100
          How many buckets a native histogram has at most.
        prometheus_export.native_histogram.min_reset_duration|BEYLA_PROMETHEUS_NATIVE_HISTOGRAM_MIN_RESET_DURATION|duration|1h
          How long a native histogram is kept at least before it begins anew.
        +prometheus_export.path|BEYLA_PROMETHEUS_PATH|text|/metrics
          The path at which Prometheus reads the metrics.
        +prometheus_export.port|BEYLA_PROMETHEUS_PORT|int 0..65535|0
          The port at which Prometheus reads the metrics; 0 is none.
        +prometheus_export.service_cache_size||int 1..|10000
          How many service instances have metrics at most.
        +prometheus_export.ttl|BEYLA_PROMETHEUS_TTL|duration|5m
          How long a metric without news is kept; unset, the metrics of a process stay until it is over.
        """;

    private const string Metrics = """
        internal_metrics.avoided_services.disabled|BEYLA_INTERNAL_METRICS_AVOIDED_SERVICES_DISABLED|bool|false
          Leaves out the metric about services that export telemetry of their own.
        internal_metrics.avoided_services.limit|BEYLA_INTERNAL_METRICS_AVOIDED_SERVICES_LIMIT|int|2000
          How many such services that metric names at most.
        internal_metrics.bpf_metric_scrape_interval|BEYLA_BPF_METRIC_SCRAPE_INTERVAL|duration|15s
          How often the metrics of programs and maps in the kernel are read.
        +internal_metrics.exporter|BEYLA_INTERNAL_METRICS_EXPORTER|one disabled otel prometheus|disabled
          Where the agent's metrics about itself go.
        +internal_metrics.prometheus.path|BEYLA_INTERNAL_METRICS_PROMETHEUS_PATH|text|/internal/metrics
          The path at which Prometheus reads the agent's metrics about itself.
        +internal_metrics.prometheus.port|BEYLA_INTERNAL_METRICS_PROMETHEUS_PORT|int 0..65535|0
          The port at which Prometheus reads the agent's metrics about itself; 0 is that of prometheus_export.
        +metrics.features|BEYLA_METRICS_FEATURES|list|application
          Which groups of metrics there are.
        +processes.interval|BEYLA_PROCESSES_INTERVAL|duration >0|5s
          How often the metrics of processes are measured.
        processes.RunMode||text|privileged
          Whether the metrics of processes are read with or without privileges.
        """;

    private const string GrafanaCloud = """
        +grafana.otlp.cloud_api_key|GRAFANA_CLOUD_API_KEY|text|
          The key of the Grafana Cloud account.
        +grafana.otlp.cloud_instance_id|GRAFANA_CLOUD_INSTANCE_ID|text|
          The number of the Grafana Cloud instance.
        +grafana.otlp.cloud_submit|GRAFANA_CLOUD_SUBMIT|list|traces
          What is sent to Grafana Cloud: traces, metrics.
        +grafana.otlp.cloud_zone|GRAFANA_CLOUD_ZONE|text|
          The zone of Grafana Cloud.
        sigil_export||any|
          The export of calls to models, with the settings of otel_traces_export.
        topology.spans|BEYLA_TOPOLOGY_SPANS|list|
          Spans that link services of different clusters.
        """;
}

namespace Beyla.Agent.Configuration;

/// <summary>
/// Every setting, one per line: <c>key|variables|type|default</c>. A key that starts with <c>+</c> has an effect in this agent;
/// the others are settings of the peer (version 3) that are recognised, checked and reported as not built.
/// Own settings of this agent: <c>ebpf.socket_source</c>, <c>ebpf.ring_size</c>, <c>ebpf.poll_interval</c>, <c>exit_with_parent</c>,
/// <c>network.require_process</c>.
/// </summary>
internal static class KeyTable
{
    /// <summary>The table. Types: see <see cref="SettingType"/>; <c>one a b</c> is a choice, <c>int 1..9</c> has limits.</summary>
    public const string Text = """
        attributes.extra_group_attributes||any|
        attributes.host_id.override|BEYLA_HOST_ID|text|
        attributes.instance_id.dns|BEYLA_HOSTNAME_DNS_RESOLUTION|bool|true
        attributes.instance_id.override_hostname|BEYLA_HOSTNAME|text|
        attributes.kubernetes.cluster_name|BEYLA_KUBE_CLUSTER_NAME|text|
        attributes.kubernetes.disable_informers|BEYLA_KUBE_DISABLE_INFORMERS|list|
        attributes.kubernetes.drop_external|BEYLA_NETWORK_DROP_EXTERNAL|bool|false
        attributes.kubernetes.enable|BEYLA_KUBE_METADATA_ENABLE|one autodetect false true|autodetect
        attributes.kubernetes.informers_resync_period|BEYLA_KUBE_INFORMERS_RESYNC_PERIOD|duration|30m
        attributes.kubernetes.informers_sync_timeout|BEYLA_KUBE_INFORMERS_SYNC_TIMEOUT|duration|30s
        attributes.kubernetes.kubeconfig_path|KUBECONFIG|text|
        attributes.kubernetes.meta_cache_address|BEYLA_KUBE_META_CACHE_ADDRESS|text|
        attributes.kubernetes.meta_restrict_local_node|BEYLA_KUBE_META_RESTRICT_LOCAL_NODE|bool|false
        attributes.kubernetes.meta_source_labels.service_namespace|BEYLA_SERVICE_NAMESPACE|text|
        attributes.kubernetes.meta_source_labels.service_name|OTEL_SERVICE_NAME|text|
        attributes.kubernetes.reconnect_initial_interval|BEYLA_KUBE_RECONNECT_INITIAL_INTERVAL|duration|5s
        attributes.kubernetes.resource_labels||any|
        attributes.kubernetes.service_name_template|BEYLA_SERVICE_NAME_TEMPLATE|text|
        attributes.metadata_retry.max_interval|BEYLA_METADATA_RETRY_MAX_INTERVAL|duration|5s
        attributes.metadata_retry.start_interval|BEYLA_METADATA_RETRY_START_INTERVAL|duration|500ms
        attributes.metadata_retry.timeout|BEYLA_METADATA_RETRY_TIMEOUT|duration|30s
        attributes.metric_span_names_limit|BEYLA_METRIC_SPAN_NAMES_LIMIT|int|100
        attributes.rename_unresolved_hosts_incoming|BEYLA_RENAME_UNRESOLVED_HOSTS_INCOMING|text|incoming
        attributes.rename_unresolved_hosts_outgoing|BEYLA_RENAME_UNRESOLVED_HOSTS_OUTGOING|text|outgoing
        attributes.rename_unresolved_hosts|BEYLA_RENAME_UNRESOLVED_HOSTS|text|unresolved
        attributes.select||any|
        +attributes.sensitive_query_params.add|BEYLA_SENSITIVE_QUERY_PARAMS_ADD|list|
        +attributes.sensitive_query_params.remove|BEYLA_SENSITIVE_QUERY_PARAMS_REMOVE|list|
        +AutoTargetExe|BEYLA_AUTO_TARGET_EXE,OTEL_GO_AUTO_TARGET_EXE|glob|
        +AutoTargetLanguage|BEYLA_AUTO_TARGET_LANGUAGE|glob|
        channel_buffer_len|BEYLA_CHANNEL_BUFFER_LEN|int|50
        channel_send_timeout_panic|BEYLA_CHANNEL_SEND_TIMEOUT_PANIC|bool|false
        channel_send_timeout|BEYLA_CHANNEL_SEND_TIMEOUT|duration|1m
        discovery.bpf_pid_filter_off|BEYLA_BPF_PID_FILTER_OFF|bool|false
        +discovery.default_exclude_instrument||selectors|[{exe_path: "{*beyla,*alloy,*prometheus-config-reloader,*ebpf-instrument,*obi,*otelcol,*otelcol-contrib,*otelcol-contrib[!/]*}"}]
        discovery.default_exclude_services||any|
        discovery.default_otlp_grpc_port|BEYLA_DEFAULT_OTLP_GRPC_PORT|int 1..65535|4317
        discovery.disabled_route_harvesters||list|
        +discovery.exclude_instrument||selectors|
        discovery.exclude_otel_instrumented_services_span_metrics|BEYLA_EXCLUDE_OTEL_INSTRUMENTED_SERVICES_SPAN_METRICS|bool|false
        discovery.exclude_otel_instrumented_services|BEYLA_EXCLUDE_OTEL_INSTRUMENTED_SERVICES|bool|true
        +discovery.exclude_services||selectors|
        +discovery.excluded_linux_system_paths||list|/lib/systemd/,/usr/lib/systemd/,/usr/libexec/,/sbin/,/usr/sbin/
        +discovery.instrument||selectors|
        discovery.min_process_age|BEYLA_MIN_PROCESS_AGE|duration|5s
        discovery.poll_interval|BEYLA_DISCOVERY_POLL_INTERVAL|duration|0
        discovery.process_context_poll_interval|BEYLA_PROCESS_CONTEXT_POLL_INTERVAL|duration|1s
        discovery.route_harvester_advanced.java_harvest_delay|BEYLA_JAVA_ROUTE_HARVEST_DELAY|duration|5s
        discovery.route_harvester_timeout|BEYLA_ROUTE_HARVESTER_TIMEOUT|duration|10s
        +discovery.services||selectors|
        discovery.skip_go_specific_tracers|BEYLA_SKIP_GO_SPECIFIC_TRACERS|bool|false
        discovery.survey||selectors|
        ebpf.batch_length|BEYLA_BPF_BATCH_LENGTH|int 1..|100
        ebpf.batch_timeout|BEYLA_BPF_BATCH_TIMEOUT|duration|1s
        ebpf.bpf_debug|BEYLA_BPF_DEBUG|bool|false
        ebpf.bpf_fs_path|BEYLA_BPF_FS_PATH|text|/sys/fs/bpf/
        ebpf.buffer_sizes.http|BEYLA_BPF_BUFFER_SIZE_HTTP|int 0..262144|0
        ebpf.buffer_sizes.kafka|BEYLA_BPF_BUFFER_SIZE_KAFKA|int 0..65536|0
        ebpf.buffer_sizes.mssql|BEYLA_BPF_BUFFER_SIZE_MSSQL|int 0..65536|0
        ebpf.buffer_sizes.mysql|BEYLA_BPF_BUFFER_SIZE_MYSQL|int 0..65536|0
        ebpf.buffer_sizes.postgres|BEYLA_BPF_BUFFER_SIZE_POSTGRES|int 0..65536|0
        ebpf.buffer_sizes.tcp|BEYLA_BPF_BUFFER_SIZE_TCP|int 0..65536|0
        ebpf.context_propagation|BEYLA_BPF_CONTEXT_PROPAGATION,BEYLA_ENABLE_CONTEXT_PROPAGATION|one disabled headers tcp all headers,tcp tcp,headers ip|disabled
        ebpf.couchbase_db_cache_size|BEYLA_COUCHBASE_DB_CACHE_SIZE|int|1024
        ebpf.disable_black_box_cp|BEYLA_BPF_DISABLE_BLACK_BOX_CP|bool|false
        ebpf.dns_request_timeout|BEYLA_BPF_DNS_REQUEST_TIMEOUT|duration|5s
        ebpf.enable_context_propagation|BEYLA_BPF_ENABLE_CONTEXT_PROPAGATION|bool|false
        ebpf.force_bpf_map_reader|BEYLA_FORCE_BPF_MAP_READER|one auto batch legacy|auto
        ebpf.go_http_client_buffer_timeout|BEYLA_BPF_GO_HTTP_CLIENT_BUFFER_TIMEOUT|duration|1s
        ebpf.heuristic_sql_detect|BEYLA_HEURISTIC_SQL_DETECT|bool|false
        ebpf.high_request_volume|BEYLA_BPF_HIGH_REQUEST_VOLUME|bool|false
        +ebpf.http_request_timeout|BEYLA_BPF_HTTP_REQUEST_TIMEOUT|duration|0
        ebpf.instrument_cuda|BEYLA_INSTRUMENT_CUDA|one auto on off 1 2 3|auto
        ebpf.kafka_topic_uuid_cache_size|OTEL_KAFKA_TOPIC_UUID_CACHE_SIZE|int|1024
        ebpf.log_enricher.async_writer_channel_len|BEYLA_BPF_LOG_ENRICHER_ASYNC_WRITER_CHANNEL_LEN|int|500
        ebpf.log_enricher.async_writer_workers|BEYLA_BPF_LOG_ENRICHER_ASYNC_WRITER_WORKERS|int|8
        ebpf.log_enricher.cache_size|BEYLA_BPF_LOG_ENRICHER_CACHE_SIZE|int|128
        ebpf.log_enricher.cache_ttl|BEYLA_BPF_LOG_ENRICHER_CACHE_TTL|duration|30m
        ebpf.log_enricher.field_names.span_id||text|span_id
        ebpf.log_enricher.field_names.trace_id||text|trace_id
        ebpf.log_enricher.plain_text.enabled||bool|true
        ebpf.log_enricher.plain_text.multiline||one each_line first_line last_line|first_line
        ebpf.log_enricher.plain_text.placement||one prefix suffix|suffix
        ebpf.log_enricher.services||any|
        ebpf.maps_config.global_scale_factor||int -3..3|0
        ebpf.max_transaction_time|BEYLA_BPF_MAX_TRANSACTION_TIME|duration|5m
        ebpf.mongo_requests_cache_size|BEYLA_BPF_MONGO_REQUESTS_CACHE_SIZE|int|1024
        ebpf.mssql_prepared_statements_cache_size|BEYLA_BPF_MSSQL_PREPARED_STATEMENTS_CACHE_SIZE|int|1024
        ebpf.mysql_prepared_statements_cache_size|BEYLA_BPF_MYSQL_PREPARED_STATEMENTS_CACHE_SIZE|int|1024
        ebpf.override_bpfloop_enabled|BEYLA_OVERRIDE_BPF_LOOP_ENABLED|bool|false
        ebpf.payload_extraction.http.aws.enabled|BEYLA_HTTP_AWS_ENABLED|bool|false
        ebpf.payload_extraction.http.elasticsearch.enabled|BEYLA_HTTP_ELASTICSEARCH_ENABLED|bool|false
        ebpf.payload_extraction.http.enrichment.enabled|BEYLA_HTTP_ENRICHMENT_ENABLED|bool|false
        ebpf.payload_extraction.http.enrichment.policy.default_action.body||one exclude include obfuscate|exclude
        ebpf.payload_extraction.http.enrichment.policy.default_action.headers||one exclude include obfuscate|exclude
        ebpf.payload_extraction.http.enrichment.policy.obfuscation_string|BEYLA_HTTP_ENRICHMENT_OBFUSCATION_STRING|text|***
        ebpf.payload_extraction.http.enrichment.rules||any|
        ebpf.payload_extraction.http.genai.anthropic.enabled|BEYLA_HTTP_ANTHROPIC_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.bedrock.enabled|BEYLA_HTTP_BEDROCK_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.embedding.enabled|BEYLA_HTTP_GENAI_EMBEDDING_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.gemini.enabled|BEYLA_HTTP_GEMINI_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.mcp.enabled|BEYLA_HTTP_MCP_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.ollama.enabled|BEYLA_HTTP_OLLAMA_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.openai.enabled|BEYLA_HTTP_OPENAI_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.openai_compatible.enabled|BEYLA_HTTP_OPENAI_COMPATIBLE_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.openai_compatible.gateways||any|
        ebpf.payload_extraction.http.genai.qwen.enabled|BEYLA_HTTP_QWEN_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.rerank.enabled|BEYLA_HTTP_RERANK_ENABLED|bool|false
        ebpf.payload_extraction.http.genai.retrieval.enabled|BEYLA_HTTP_RETRIEVAL_ENABLED|bool|false
        ebpf.payload_extraction.http.graphql.enabled|BEYLA_HTTP_GRAPHQL_ENABLED|bool|false
        ebpf.payload_extraction.http.jsonrpc.enabled|BEYLA_HTTP_JSONRPC_ENABLED|bool|false
        ebpf.payload_extraction.http.sqlpp.enabled|BEYLA_HTTP_SQLPP_ENABLED|bool|false
        ebpf.payload_extraction.http.sqlpp.endpoint_patterns|BEYLA_HTTP_SQLPP_ENDPOINT_PATTERNS|list|/query/service
        +ebpf.poll_interval|BEYLA_BPF_POLL_INTERVAL|duration >0|10ms
        ebpf.postgres_prepared_statements_cache_size|BEYLA_BPF_POSTGRES_PREPARED_STATEMENTS_CACHE_SIZE|int|1024
        ebpf.protocol_debug_print|BEYLA_PROTOCOL_DEBUG_PRINT|bool|false
        ebpf.redis_db_cache.enabled|BEYLA_BPF_REDIS_DB_CACHE_ENABLED|bool|false
        ebpf.redis_db_cache.max_size|BEYLA_BPF_REDIS_DB_CACHE_MAX_SIZE|int|1000
        +ebpf.ring_size|BEYLA_BPF_RING_SIZE|int 4096..67108864|8388608
        +ebpf.socket_source|BEYLA_BPF_SOCKET_SOURCE|one auto tracepoints fentry syscalls|auto
        ebpf.stats_wakeup_data_bytes|BEYLA_STATS_WAKEUP_DATA_BYTES|int|4096
        ebpf.track_request_headers|BEYLA_BPF_TRACK_REQUEST_HEADERS|bool|false
        +ebpf.traffic_control_backend|BEYLA_BPF_TC_BACKEND|one auto tc tcx|auto
        ebpf.wakeup_len|BEYLA_BPF_WAKEUP_LEN|int|500
        +enforce_sys_caps|BEYLA_ENFORCE_SYS_CAPS|bool|false
        +executable_name|BEYLA_EXECUTABLE_NAME|regex|
        +exit_with_parent|BEYLA_EXIT_WITH_PARENT|bool|false
        filter.application||any|
        filter.network||any|
        filter.stats||any|
        grafana.otlp.cloud_api_key|GRAFANA_CLOUD_API_KEY|text|
        grafana.otlp.cloud_instance_id|GRAFANA_CLOUD_INSTANCE_ID|text|
        grafana.otlp.cloud_submit|GRAFANA_CLOUD_SUBMIT|list|traces
        grafana.otlp.cloud_zone|GRAFANA_CLOUD_ZONE|text|
        health_check.listen_address|BEYLA_HEALTH_CHECK_LISTEN_ADDRESS|text|127.0.0.1
        health_check.port|BEYLA_HEALTH_CHECK_PORT|int 0..65535|0
        health_check.unix_socket_path|BEYLA_HEALTH_CHECK_UNIX_SOCKET_PATH|text|
        injector.enabled_sdks||list|java,dotnet,nodejs,python
        injector.exclude_instrument||selectors|
        injector.exporter_otlp_endpoint||text|
        injector.exporter_otlp_protocol||one debug grpc http/json http/protobuf|
        injector.image_version||text|
        injector.instrument||selectors|
        injector.otel_exported_signals.logs||bool|false
        injector.otel_exported_signals.metrics||bool|false
        injector.otel_exported_signals.traces||bool|false
        injector.resources.add_k8s_ip_attribute||bool|false
        injector.resources.add_k8s_uid_attributes||bool|false
        injector.resources.attributes||any|
        injector.resources.use_k8s_labels_for_resource_attributes||bool|false
        injector.trace_propagators||list|
        injector.trace_sampler.arg|OTEL_TRACES_SAMPLER_ARG|text|
        injector.trace_sampler.name|OTEL_TRACES_SAMPLER|one always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio|
        injector.webhook.external_deployment_name|BEYLA_EXTERNAL_WEBHOOK_DEPLOYMENT_NAME|text|
        internal_metrics.avoided_services.disabled|BEYLA_INTERNAL_METRICS_AVOIDED_SERVICES_DISABLED|bool|false
        internal_metrics.avoided_services.limit|BEYLA_INTERNAL_METRICS_AVOIDED_SERVICES_LIMIT|int|2000
        internal_metrics.bpf_metric_scrape_interval|BEYLA_BPF_METRIC_SCRAPE_INTERVAL|duration|15s
        internal_metrics.exporter|BEYLA_INTERNAL_METRICS_EXPORTER|one disabled otel prometheus|disabled
        internal_metrics.prometheus.path|BEYLA_INTERNAL_METRICS_PROMETHEUS_PATH|text|/internal/metrics
        internal_metrics.prometheus.port|BEYLA_INTERNAL_METRICS_PROMETHEUS_PORT|int 0..65535|0
        javaagent.attach_timeout|BEYLA_JAVAAGENT_ATTACH_TIMEOUT|duration|10s
        javaagent.debug_instrumentation|BEYLA_JAVAAGENT_DEBUG_INSTRUMENTATION|bool|false
        javaagent.debug|BEYLA_JAVAAGENT_DEBUG|bool|false
        javaagent.enabled|BEYLA_JAVAAGENT_ENABLED|bool|true
        jvm_runtime_metrics.sampling_interval|OBI_JVM_RUNTIME_METRICS_SAMPLING_INTERVAL|duration|1s
        +log_config|BEYLA_LOG_CONFIG|one json yaml|
        +log_format|BEYLA_LOG_FORMAT|one json text|text
        +log_level|BEYLA_LOG_LEVEL|one DEBUG INFO WARN ERROR|INFO
        metrics.features|BEYLA_METRICS_FEATURES|list|application
        name_resolver.cache_expiry|BEYLA_NAME_RESOLVER_CACHE_TTL|duration|5m
        name_resolver.cache_len|BEYLA_NAME_RESOLVER_CACHE_LEN|int|1024
        name_resolver.sources|BEYLA_NAME_RESOLVER_SOURCES|list|k8s
        +network.agent_ip_iface|BEYLA_NETWORK_AGENT_IP_IFACE|interface|external
        +network.agent_ip_type|BEYLA_NETWORK_AGENT_IP_TYPE|one any ipv4 ipv6|any
        +network.agent_ip|BEYLA_NETWORK_AGENT_IP|address|
        +network.cache_active_timeout|BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT|duration >0|5s
        +network.cache_max_flows|BEYLA_NETWORK_CACHE_MAX_FLOWS|int 1..1000000|5000
        +network.cidrs|BEYLA_NETWORK_CIDRS|networks|
        +network.deduper_fc_ttl|BEYLA_NETWORK_DEDUPER_FC_TTL|duration >0|
        +network.deduper|BEYLA_NETWORK_DEDUPER|one first_come none|first_come
        +network.direction|BEYLA_NETWORK_DIRECTION|one both egress ingress|both
        +network.enable|BEYLA_NETWORK_METRICS|bool|false
        +network.exclude_interfaces|BEYLA_NETWORK_EXCLUDE_INTERFACES|names|lo
        +network.exclude_protocols|BEYLA_NETWORK_EXCLUDE_PROTOCOLS|protocols|
        network.geo_ip.cache_expiry|BEYLA_GEOIP_CACHE_TTL|duration|1h
        network.geo_ip.cache_len|BEYLA_GEOIP_CACHE_LEN|int|512
        network.geo_ip.ipinfo.path|BEYLA_GEOIP_IPINFO_PATH|text|
        network.geo_ip.maxmind.asn_path|BEYLA_GEOIP_MAXMIND_ASN_PATH|text|
        network.geo_ip.maxmind.country_path|BEYLA_GEOIP_MAXMIND_COUNTRY_PATH|text|
        +network.guess_ports|BEYLA_NETWORK_GUESS_PORTS|one disable ordinal|disable
        +network.interfaces|BEYLA_NETWORK_INTERFACES|names|
        +network.listen_interfaces|BEYLA_NETWORK_LISTEN_INTERFACES|one poll watch|watch
        +network.listen_poll_period|BEYLA_NETWORK_LISTEN_POLL_PERIOD|duration >0|10s
        +network.print_flows|BEYLA_NETWORK_PRINT_FLOWS|bool|false
        +network.protocols|BEYLA_NETWORK_PROTOCOLS|protocols|
        +network.require_process|BEYLA_NETWORK_REQUIRE_PROCESS|bool|false
        +network.reverse_dns.cache_expiry|BEYLA_REVERSE_DNS_CACHE_TTL|duration >0|1h
        +network.reverse_dns.cache_len|BEYLA_REVERSE_DNS_CACHE_LEN|int 1..|256
        +network.reverse_dns.type|BEYLA_REVERSE_DNS_TYPE|one ebpf local none|none
        +network.sampling|BEYLA_NETWORK_SAMPLING|int 0..|0
        +network.source|BEYLA_NETWORK_SOURCE|one socket_filter tc|socket_filter
        nodejs.enabled|BEYLA_NODEJS_ENABLED|bool|true
        nodejs.manual_spans|BEYLA_NODEJS_MANUAL_SPANS|bool|false
        +open_port|BEYLA_OPEN_PORT|ports|
        otel_metrics_export.allow_service_graph_self_references|BEYLA_ALLOW_SERVICE_GRAPH_SELF_REFERENCES|bool|false
        otel_metrics_export.buckets.duration_histogram||list|
        otel_metrics_export.buckets.gen_ai_client_operation_duration_histogram||list|
        otel_metrics_export.buckets.gen_ai_client_token_usage_histogram||list|
        otel_metrics_export.buckets.request_size_histogram||list|
        otel_metrics_export.buckets.response_size_histogram||list|
        otel_metrics_export.buckets.stat_tcp_rtt_histogram||list|
        otel_metrics_export.endpoint|OTEL_EXPORTER_OTLP_METRICS_ENDPOINT|text|
        otel_metrics_export.exponential_histogram.max_scale|BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SCALE|int|20
        otel_metrics_export.exponential_histogram.max_size|BEYLA_METRICS_EXPONENTIAL_HISTOGRAM_MAX_SIZE|int|160
        otel_metrics_export.extra_span_resource_attributes|BEYLA_EXTRA_SPAN_RESOURCE_ATTRIBUTES|list|
        otel_metrics_export.features||list|
        otel_metrics_export.histogram_aggregation|OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION|one base2_exponential_bucket_histogram explicit_bucket_histogram|explicit_bucket_histogram
        otel_metrics_export.insecure_skip_verify|BEYLA_INSECURE_SKIP_VERIFY|bool|false
        otel_metrics_export.instrumentations|BEYLA_METRICS_INSTRUMENTATIONS|list|*
        otel_metrics_export.interval|BEYLA_METRICS_INTERVAL|duration|
        otel_metrics_export.otel_sdk_log_level|BEYLA_SDK_LOG_LEVEL|text|
        otel_metrics_export.OTELIntervalMS|OTEL_METRIC_EXPORT_INTERVAL|int|60000
        otel_metrics_export.protocol|OTEL_EXPORTER_OTLP_PROTOCOL|one debug grpc http/json http/protobuf|
        otel_metrics_export.reporters_cache_len|BEYLA_METRICS_REPORT_CACHE_LEN|int|256
        otel_metrics_export.ttl|BEYLA_METRICS_TTL|duration|5m
        otel_traces_export.backoff_initial_interval|BEYLA_BACKOFF_INITIAL_INTERVAL|duration|
        otel_traces_export.backoff_max_elapsed_time|BEYLA_BACKOFF_MAX_ELAPSED_TIME|duration|
        otel_traces_export.backoff_max_interval|BEYLA_BACKOFF_MAX_INTERVAL|duration|
        otel_traces_export.batch_max_size|BEYLA_OTLP_TRACES_BATCH_MAX_SIZE|int|4096
        otel_traces_export.batch_timeout|BEYLA_OTLP_TRACES_BATCH_TIMEOUT|duration|15s
        otel_traces_export.endpoint|OTEL_EXPORTER_OTLP_TRACES_ENDPOINT|text|
        otel_traces_export.insecure_skip_verify|BEYLA_INSECURE_SKIP_VERIFY|bool|false
        otel_traces_export.instrumentations|BEYLA_TRACES_INSTRUMENTATIONS|list|http,grpc,sql,redis,kafka,mqtt,nats,amqp,mongo,couchbase,memcached,sunrpc,aerospike
        otel_traces_export.otel_sdk_log_level|BEYLA_SDK_LOG_LEVEL|text|
        otel_traces_export.protocol|OTEL_EXPORTER_OTLP_PROTOCOL|one debug grpc http/json http/protobuf|
        otel_traces_export.queue_size|BEYLA_OTLP_TRACES_QUEUE_SIZE|int|16384
        otel_traces_export.reporters_cache_len|BEYLA_TRACES_REPORT_CACHE_LEN|int|256
        otel_traces_export.sampler.arg|OTEL_TRACES_SAMPLER_ARG|text|
        otel_traces_export.sampler.name|OTEL_TRACES_SAMPLER|one always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio|parentbased_always_on
        processes.interval|BEYLA_PROCESSES_INTERVAL|duration|5s
        processes.RunMode||text|privileged
        profile_port|BEYLA_PROFILE_PORT|int 0..65535|
        prometheus_export.allow_service_graph_self_references|BEYLA_PROMETHEUS_ALLOW_SERVICE_GRAPH_SELF_REFERENCES|bool|false
        prometheus_export.buckets.duration_histogram||list|
        prometheus_export.buckets.gen_ai_client_operation_duration_histogram||list|
        prometheus_export.buckets.gen_ai_client_token_usage_histogram||list|
        prometheus_export.buckets.request_size_histogram||list|
        prometheus_export.buckets.response_size_histogram||list|
        prometheus_export.buckets.stat_tcp_rtt_histogram||list|
        prometheus_export.disable_build_info|BEYLA_PROMETHEUS_DISABLE_BUILD_INFO|bool|false
        prometheus_export.exemplar_filter|BEYLA_PROMETHEUS_EXEMPLAR_FILTER|text|
        prometheus_export.extra_resource_attributes|BEYLA_PROMETHEUS_EXTRA_RESOURCE_ATTRIBUTES|list|
        prometheus_export.extra_span_resource_attributes|BEYLA_PROMETHEUS_EXTRA_SPAN_RESOURCE_ATTRIBUTES|list|
        prometheus_export.features|BEYLA_PROMETHEUS_FEATURES|list|
        prometheus_export.instrumentations|BEYLA_PROMETHEUS_INSTRUMENTATIONS|list|*
        prometheus_export.native_histogram.bucket_factor|BEYLA_PROMETHEUS_NATIVE_HISTOGRAM_BUCKET_FACTOR|number|1.1
        prometheus_export.native_histogram.max_bucket_number|BEYLA_PROMETHEUS_NATIVE_HISTOGRAM_MAX_BUCKET_NUMBER|int|100
        prometheus_export.native_histogram.min_reset_duration|BEYLA_PROMETHEUS_NATIVE_HISTOGRAM_MIN_RESET_DURATION|duration|1h
        prometheus_export.path|BEYLA_PROMETHEUS_PATH|text|/metrics
        prometheus_export.port|BEYLA_PROMETHEUS_PORT|int 0..65535|0
        prometheus_export.service_cache_size||int|10000
        prometheus_export.ttl|BEYLA_PROMETHEUS_TTL|duration|5m
        routes.ignore_mode||one all metrics traces|all
        routes.ignored_patterns||list|
        routes.max_path_segment_cardinality||int|10
        routes.patterns||list|
        routes.unmatched||one heuristic low-cardinality path unset wildcard|low-cardinality
        routes.wildcard_char||text|*
        +service_namespace|BEYLA_SERVICE_NAMESPACE|text|
        +service_name|OTEL_SERVICE_NAME,BEYLA_SERVICE_NAME|text|
        +shutdown_timeout|BEYLA_SHUTDOWN_TIMEOUT|duration >0|10s
        sigil_export||any|
        stats.agent_ip_iface|BEYLA_STATS_AGENT_IP_IFACE|interface|external
        stats.agent_ip_type|BEYLA_STATS_AGENT_IP_TYPE|one any ipv4 ipv6|any
        stats.agent_ip|BEYLA_STATS_AGENT_IP|address|
        stats.cidrs|BEYLA_STATS_CIDRS|networks|
        stats.geo_ip.cache_expiry|BEYLA_GEOIP_CACHE_TTL|duration|1h
        stats.geo_ip.cache_len|BEYLA_GEOIP_CACHE_LEN|int|512
        stats.geo_ip.ipinfo.path|BEYLA_GEOIP_IPINFO_PATH|text|
        stats.geo_ip.maxmind.asn_path|BEYLA_GEOIP_MAXMIND_ASN_PATH|text|
        stats.geo_ip.maxmind.country_path|BEYLA_GEOIP_MAXMIND_COUNTRY_PATH|text|
        stats.print_stats|BEYLA_STATS_PRINT_STATS|bool|false
        stats.reverse_dns.cache_expiry|BEYLA_REVERSE_DNS_CACHE_TTL|duration|1h
        stats.reverse_dns.cache_len|BEYLA_REVERSE_DNS_CACHE_LEN|int 1..|256
        stats.reverse_dns.type|BEYLA_REVERSE_DNS_TYPE|one ebpf local none|none
        +target_pids|BEYLA_TARGET_PID|pids|
        topology.spans|BEYLA_TOPOLOGY_SPANS|list|
        +trace_printer|BEYLA_TRACE_PRINTER|one counter disabled json json_indent text|disabled
        """;
}

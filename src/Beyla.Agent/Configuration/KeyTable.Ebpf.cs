namespace Beyla.Agent.Configuration;

/// <summary>What the programs in the kernel capture, and how.</summary>
internal static partial class KeyTable
{
    private const string CaptureInTheKernel = """
        ebpf.batch_length|BEYLA_BPF_BATCH_LENGTH|int 1..|100
          How many events are read before they are handed on.
        ebpf.batch_timeout|BEYLA_BPF_BATCH_TIMEOUT|duration|1s
          How long events wait at most until a batch is full.
        ebpf.bpf_debug|BEYLA_BPF_DEBUG|bool|false
          Has the programs in the kernel write debug messages.
        ebpf.bpf_fs_path|BEYLA_BPF_FS_PATH|text|/sys/fs/bpf/
          Where the eBPF file system is mounted.
        ebpf.buffer_sizes.http|BEYLA_BPF_BUFFER_SIZE_HTTP|int 0..262144|0
          Bytes of an HTTP message that are captured beyond its start.
        ebpf.buffer_sizes.kafka|BEYLA_BPF_BUFFER_SIZE_KAFKA|int 0..65536|0
          Bytes of a Kafka message that are captured beyond its start.
        ebpf.buffer_sizes.mssql|BEYLA_BPF_BUFFER_SIZE_MSSQL|int 0..65536|0
          Bytes of a message of SQL Server that are captured beyond its start.
        ebpf.buffer_sizes.mysql|BEYLA_BPF_BUFFER_SIZE_MYSQL|int 0..65536|0
          Bytes of a MySQL message that are captured beyond its start.
        +ebpf.buffer_sizes.postgres|BEYLA_BPF_BUFFER_SIZE_POSTGRES|int 0..65536|0
          Bytes of a PostgreSQL statement that its span shows, without its literals; 0 and more than 4096 are 4096.
        ebpf.buffer_sizes.tcp|BEYLA_BPF_BUFFER_SIZE_TCP|int 0..65536|0
          Bytes of any other TCP message that are captured beyond its start.
        +ebpf.context_propagation|BEYLA_BPF_CONTEXT_PROPAGATION,BEYLA_ENABLE_CONTEXT_PROPAGATION|
        """
        + """
        one disabled headers tcp all headers,tcp tcp,headers ip|disabled
          Adds the trace context to outgoing requests: as an HTTP header, as a TCP option, or both.
        ebpf.couchbase_db_cache_size|BEYLA_COUCHBASE_DB_CACHE_SIZE|int|1024
          How many connections to Couchbase have their bucket remembered.
        ebpf.disable_black_box_cp|BEYLA_BPF_DISABLE_BLACK_BOX_CP|bool|false
          Does not link outgoing requests to the incoming one that caused them on the same host.
        ebpf.dns_request_timeout|BEYLA_BPF_DNS_REQUEST_TIMEOUT|duration|5s
          How long a DNS query may wait for its answer.
        +ebpf.enable_context_propagation|BEYLA_BPF_ENABLE_CONTEXT_PROPAGATION|bool|false
          An older spelling of ebpf.context_propagation: true is all.
        ebpf.force_bpf_map_reader|BEYLA_FORCE_BPF_MAP_READER|one auto batch legacy|auto
          How the map of flows is emptied: many entries a system call, or one.
        ebpf.go_http_client_buffer_timeout|BEYLA_BPF_GO_HTTP_CLIENT_BUFFER_TIMEOUT|duration|1s
          How long the data of an HTTP client in Go is held back to complete its span.
        +ebpf.heuristic_sql_detect|BEYLA_HEURISTIC_SQL_DETECT|bool|false
          Looks for SQL in the data of connections whose protocol is not known.
        ebpf.high_request_volume|BEYLA_BPF_HIGH_REQUEST_VOLUME|bool|false
          Reports a request when its answer begins, not when it ends.
        +ebpf.http_request_timeout|BEYLA_BPF_HTTP_REQUEST_TIMEOUT|duration|0
          How long a request may wait for its answer before it is reported with status 408; 0 is for ever.
        ebpf.instrument_cuda|BEYLA_INSTRUMENT_CUDA|one auto on off 1 2 3|auto
          Traces calls of CUDA; auto does where nvidia-smi is found.
        ebpf.kafka_topic_uuid_cache_size|OTEL_KAFKA_TOPIC_UUID_CACHE_SIZE|int|1024
          How many identifiers of Kafka topics are remembered with their names.
        ebpf.log_enricher.async_writer_channel_len|BEYLA_BPF_LOG_ENRICHER_ASYNC_WRITER_CHANNEL_LEN|int|500
          Length of the queue of each thread that writes enriched log lines.
        ebpf.log_enricher.async_writer_workers|BEYLA_BPF_LOG_ENRICHER_ASYNC_WRITER_WORKERS|int|8
          How many threads write enriched log lines.
        ebpf.log_enricher.cache_size|BEYLA_BPF_LOG_ENRICHER_CACHE_SIZE|int|128
          How many open log files are remembered.
        ebpf.log_enricher.cache_ttl|BEYLA_BPF_LOG_ENRICHER_CACHE_TTL|duration|30m
          How long an open log file is remembered.
        ebpf.log_enricher.field_names.span_id||text|span_id
          The name of the field that gets the span id in a JSON log line.
        ebpf.log_enricher.field_names.trace_id||text|trace_id
          The name of the field that gets the trace id in a JSON log line.
        ebpf.log_enricher.plain_text.enabled||bool|true
          Adds the trace context to log lines that are plain text too.
        ebpf.log_enricher.plain_text.multiline||one each_line first_line last_line|first_line
          Which lines of a text of several lines get the trace context.
        ebpf.log_enricher.plain_text.placement||one prefix suffix|suffix
          Where in a line of plain text the trace context is put.
        ebpf.log_enricher.services||any|
          The services whose log lines get the trace context.
        ebpf.maps_config.global_scale_factor||int -3..3|0
          Makes all maps in the kernel larger or smaller by this power of two.
        ebpf.max_transaction_time|BEYLA_BPF_MAX_TRANSACTION_TIME|duration|5m
          How long outgoing requests are linked to the incoming one that caused them.
        ebpf.mongo_requests_cache_size|BEYLA_BPF_MONGO_REQUESTS_CACHE_SIZE|int|1024
          How many open requests to MongoDB are remembered.
        ebpf.mssql_prepared_statements_cache_size|BEYLA_BPF_MSSQL_PREPARED_STATEMENTS_CACHE_SIZE|int|1024
          How many prepared statements of SQL Server are remembered.
        ebpf.mysql_prepared_statements_cache_size|BEYLA_BPF_MYSQL_PREPARED_STATEMENTS_CACHE_SIZE|int|1024
          How many prepared statements of MySQL are remembered.
        ebpf.override_bpfloop_enabled|BEYLA_OVERRIDE_BPF_LOOP_ENABLED|bool|false
          Takes for granted that the kernel has the helper bpf_loop.
        ebpf.payload_extraction.http.aws.enabled|BEYLA_HTTP_AWS_ENABLED|bool|false
          Recognises calls of Amazon S3 and SQS in HTTP requests.
        ebpf.payload_extraction.http.elasticsearch.enabled|BEYLA_HTTP_ELASTICSEARCH_ENABLED|bool|false
          Recognises calls of Elasticsearch and OpenSearch in HTTP requests.
        ebpf.payload_extraction.http.enrichment.enabled|BEYLA_HTTP_ENRICHMENT_ENABLED|bool|false
          Adds headers and bodies of HTTP messages to spans, by rules.
        ebpf.payload_extraction.http.enrichment.policy.default_action.body||one exclude include obfuscate|exclude
          What is done with a body that no rule names.
        ebpf.payload_extraction.http.enrichment.policy.default_action.headers||one exclude include obfuscate|exclude
          What is done with a header that no rule names.
        ebpf.payload_extraction.http.enrichment.policy.obfuscation_string|BEYLA_HTTP_ENRICHMENT_OBFUSCATION_STRING|text|***
          What is shown in place of an obfuscated value.
        ebpf.payload_extraction.http.enrichment.rules||any|
          The rules for headers and bodies.
        ebpf.payload_extraction.http.genai.anthropic.enabled|BEYLA_HTTP_ANTHROPIC_ENABLED|bool|false
          Recognises calls of Anthropic's models in HTTP requests.
        ebpf.payload_extraction.http.genai.bedrock.enabled|BEYLA_HTTP_BEDROCK_ENABLED|bool|false
          Recognises calls of Amazon Bedrock in HTTP requests.
        ebpf.payload_extraction.http.genai.embedding.enabled|BEYLA_HTTP_GENAI_EMBEDDING_ENABLED|bool|false
          Recognises calls that ask a model for embeddings.
        ebpf.payload_extraction.http.genai.gemini.enabled|BEYLA_HTTP_GEMINI_ENABLED|bool|false
          Recognises calls of Gemini in HTTP requests.
        ebpf.payload_extraction.http.genai.mcp.enabled|BEYLA_HTTP_MCP_ENABLED|bool|false
          Recognises calls of the Model Context Protocol in HTTP requests.
        ebpf.payload_extraction.http.genai.ollama.enabled|BEYLA_HTTP_OLLAMA_ENABLED|bool|false
          Recognises calls of Ollama in HTTP requests.
        ebpf.payload_extraction.http.genai.openai.enabled|BEYLA_HTTP_OPENAI_ENABLED|bool|false
          Recognises calls of OpenAI's models in HTTP requests.
        ebpf.payload_extraction.http.genai.openai_compatible.enabled|BEYLA_HTTP_OPENAI_COMPATIBLE_ENABLED|bool|false
          Recognises calls of servers that speak OpenAI's protocol.
        ebpf.payload_extraction.http.genai.openai_compatible.gateways||any|
          The servers that speak OpenAI's protocol.
        ebpf.payload_extraction.http.genai.qwen.enabled|BEYLA_HTTP_QWEN_ENABLED|bool|false
          Recognises calls of Qwen in HTTP requests.
        ebpf.payload_extraction.http.genai.rerank.enabled|BEYLA_HTTP_RERANK_ENABLED|bool|false
          Recognises calls that ask a model to rank documents anew.
        ebpf.payload_extraction.http.genai.retrieval.enabled|BEYLA_HTTP_RETRIEVAL_ENABLED|bool|false
          Recognises calls that retrieve documents for a model.
        ebpf.payload_extraction.http.graphql.enabled|BEYLA_HTTP_GRAPHQL_ENABLED|bool|false
          Recognises GraphQL in HTTP requests.
        ebpf.payload_extraction.http.jsonrpc.enabled|BEYLA_HTTP_JSONRPC_ENABLED|bool|false
          Recognises JSON-RPC in HTTP requests.
        ebpf.payload_extraction.http.sqlpp.enabled|BEYLA_HTTP_SQLPP_ENABLED|bool|false
          Recognises queries in SQL++ in HTTP requests.
        ebpf.payload_extraction.http.sqlpp.endpoint_patterns|BEYLA_HTTP_SQLPP_ENDPOINT_PATTERNS|list|/query/service
          The paths to which queries in SQL++ are sent.
        +ebpf.poll_interval|BEYLA_BPF_POLL_INTERVAL|duration >0|10ms
          How long the agent waits at most before it looks into the ring unasked while there is traffic.
        +ebpf.postgres_prepared_statements_cache_size|BEYLA_BPF_POSTGRES_PREPARED_STATEMENTS_CACHE_SIZE|int 0..65536|1024
          How many different texts of prepared statements of PostgreSQL are remembered.
        ebpf.protocol_debug_print|BEYLA_PROTOCOL_DEBUG_PRINT|bool|false
          Prints what the recognition of protocols sees.
        +ebpf.redis_db_cache.enabled|BEYLA_BPF_REDIS_DB_CACHE_ENABLED|bool|true
          Shows the number of the database of Redis, where it is known; Grafana Beyla's default is false.
        ebpf.redis_db_cache.max_size|BEYLA_BPF_REDIS_DB_CACHE_MAX_SIZE|int|1000
          How many connections to Redis have their database number remembered.
        +ebpf.ring_size|BEYLA_BPF_RING_SIZE|int 4096..67108864|8388608
          Bytes of the ring between kernel and agent: a power of two and a multiple of the page size.
        +ebpf.socket_source|BEYLA_BPF_SOCKET_SOURCE|one auto tracepoints fentry syscalls|auto
          Which attach points capture what sockets carry; auto takes the first that the kernel accepts.
        ebpf.stats_wakeup_data_bytes|BEYLA_STATS_WAKEUP_DATA_BYTES|int|4096
          Bytes of TCP statistics in the ring at which the agent is woken.
        ebpf.track_request_headers|BEYLA_BPF_TRACK_REQUEST_HEADERS|bool|false
          Looks for the trace context in the headers of incoming requests.
        +ebpf.traffic_control_backend|BEYLA_BPF_TC_BACKEND|one auto tc tcx|auto
          How flow programs are attached to traffic control with the source tc; auto takes tcx where the kernel has it.
        ebpf.wakeup_len|BEYLA_BPF_WAKEUP_LEN|int|500
          How many events are in the ring when the agent is woken.
        """;
}

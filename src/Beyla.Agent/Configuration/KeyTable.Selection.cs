namespace Beyla.Agent.Configuration;

/// <summary>Which processes are traced, and what their services are called.</summary>
internal static partial class KeyTable
{
    private const string SelectingProcesses = """
        +AutoTargetExe|BEYLA_AUTO_TARGET_EXE,OTEL_GO_AUTO_TARGET_EXE|glob|
          Traces processes whose executable's full path fits the glob.
        +AutoTargetLanguage|BEYLA_AUTO_TARGET_LANGUAGE|glob|
          Traces processes written in a language that fits the glob, such as {go,java}.
        discovery.bpf_pid_filter_off|BEYLA_BPF_PID_FILTER_OFF|bool|false
          Takes away the filter for processes in the kernel; all are filtered in user space.
        +discovery.default_exclude_instrument||selectors|
        """
        + """
        [{exe_path: "{*beyla,*alloy,*prometheus-config-reloader,*ebpf-instrument,*obi,*otelcol,*otelcol-contrib,*otelcol-contrib[!/]*}"}]
          Rules that are excluded unless this is set: the agent itself and other collectors of telemetry.
        discovery.default_exclude_services||any|
          Deprecated: as discovery.default_exclude_instrument, with regular expressions.
        discovery.default_otlp_grpc_port|BEYLA_DEFAULT_OTLP_GRPC_PORT|int 1..65535|4317
          The port by which a process is recognised that exports telemetry of its own over gRPC.
        discovery.disabled_route_harvesters||list|
          Languages whose programs are not searched for their HTTP routes.
        +discovery.exclude_instrument||selectors|
          Rules whose processes are never traced, with globs.
        +discovery.exclude_otel_instrumented_services_span_metrics|BEYLA_EXCLUDE_OTEL_INSTRUMENTED_SERVICES_SPAN_METRICS|bool|false
          Leaves processes that send traces themselves out of the metrics made from spans, and of the service graph.
        +discovery.exclude_otel_instrumented_services|BEYLA_EXCLUDE_OTEL_INSTRUMENTED_SERVICES|bool|true
          Exports no traces of processes that send traces by OTLP themselves, and no metrics of those that send metrics.
        +discovery.exclude_services||selectors|
          Deprecated: as discovery.exclude_instrument, with regular expressions.
        +discovery.excluded_linux_system_paths||list|/lib/systemd/,/usr/lib/systemd/,/usr/libexec/,/sbin/,/usr/sbin/
          Executables below these paths are never selected by language.
        +discovery.instrument||selectors|
          Rules that select processes, with globs; one of them must fit.
        discovery.min_process_age|BEYLA_MIN_PROCESS_AGE|duration|5s
          How old a process must be before it is looked at.
        discovery.poll_interval|BEYLA_DISCOVERY_POLL_INTERVAL|duration|0
          How often all processes are listed to find new ones; 0 is the peer's 5s.
        discovery.process_context_poll_interval|BEYLA_PROCESS_CONTEXT_POLL_INTERVAL|duration|1s
          How often the context that a process publishes about itself is read.
        discovery.route_harvester_advanced.java_harvest_delay|BEYLA_JAVA_ROUTE_HARVEST_DELAY|duration|5s
          How long a Java program runs before its HTTP routes are searched.
        discovery.route_harvester_timeout|BEYLA_ROUTE_HARVESTER_TIMEOUT|duration|10s
          How long the search for the HTTP routes of a program may take.
        +discovery.services||selectors|
          Deprecated: as discovery.instrument, with regular expressions.
        discovery.skip_go_specific_tracers|BEYLA_SKIP_GO_SPECIFIC_TRACERS|bool|false
          Traces Go programs by their sockets alone, not by functions of the Go runtime and libraries.
        discovery.survey||selectors|
          Rules for processes that are named in the metric survey_info without being traced.
        +executable_name|BEYLA_EXECUTABLE_NAME|regex|
          Deprecated: traces processes whose executable path has a match of the expression; AutoTargetExe takes its place.
        +open_port|BEYLA_OPEN_PORT|ports|
          Traces processes that listen on one of these TCP ports.
        +service_namespace|BEYLA_SERVICE_NAMESPACE|text|
          Deprecated: the service namespace of processes that neither their environment nor a rule gives one.
        +service_name|OTEL_SERVICE_NAME,BEYLA_SERVICE_NAME|text|
          Deprecated: the service name of processes that neither their environment nor a rule names.
        +target_pids|BEYLA_TARGET_PID|pids|
          Traces these processes and no others; every other selection is ignored.
        """;
}

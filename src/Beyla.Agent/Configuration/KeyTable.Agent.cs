namespace Beyla.Agent.Configuration;

/// <summary>The agent itself: what it prints, what it logs, how it starts and stops.</summary>
internal static partial class KeyTable
{
    private const string PrintingSpans = """
        +trace_printer|BEYLA_TRACE_PRINTER|one counter disabled json json_indent text|disabled
          How spans are printed to standard output; counter prints their number alone, json and json_indent print flows too.
        """;

    private const string Logs = """
        +log_config|BEYLA_LOG_CONFIG|one json yaml|
          Logs the effective configuration at start, in this form; unset logs none.
        +log_format|BEYLA_LOG_FORMAT|one json text|text
          The form of the log lines on standard error.
        +log_level|BEYLA_LOG_LEVEL|one DEBUG INFO WARN ERROR|INFO
          The least severe log lines that are written.
        """;

    private const string TheAgent = """
        channel_buffer_len|BEYLA_CHANNEL_BUFFER_LEN|int|50
          Length of the queues between the stages of the peer.
        channel_send_timeout_panic|BEYLA_CHANNEL_SEND_TIMEOUT_PANIC|bool|false
          Ends the peer when such a wait takes too long.
        channel_send_timeout|BEYLA_CHANNEL_SEND_TIMEOUT|duration|1m
          How long a stage may wait for room in the queue of the next one.
        +enforce_sys_caps|BEYLA_ENFORCE_SYS_CAPS|bool|false
          Ends the agent with exit code 3 when a capability is missing, before anything is loaded; else it warns and does what it can.
        +exit_with_parent|BEYLA_EXIT_WITH_PARENT|bool|false
          Stops when standard input ends or the process that started the agent is gone.
        health_check.listen_address|BEYLA_HEALTH_CHECK_LISTEN_ADDRESS|text|127.0.0.1
          The address on which the state of the agent can be asked for.
        health_check.port|BEYLA_HEALTH_CHECK_PORT|int 0..65535|0
          The port on which the state of the agent can be asked for; 0 is none.
        health_check.unix_socket_path|BEYLA_HEALTH_CHECK_UNIX_SOCKET_PATH|text|
          The Unix socket on which the state of the agent can be asked for; @ starts an abstract name.
        profile_port|BEYLA_PROFILE_PORT|int 0..65535|
          The port of the Go profiler of the peer.
        +shutdown_timeout|BEYLA_SHUTDOWN_TIMEOUT|duration >0|10s
          How long stopping may take before the rest is given up.
        """;
}

namespace Beyla.Agent.Configuration;

/// <summary>An option of the command line that sets one setting.</summary>
/// <param name="Name">The name with its dashes.</param>
/// <param name="Argument">What the help calls its value; null for a switch, which sets <c>true</c>.</param>
/// <param name="Key">The path of the setting.</param>
/// <param name="Help">One line of help.</param>
internal sealed record CommandLineOption(string Name, string? Argument, string Key, string Help)
{
    /// <summary>The options for common settings, in the order of the help. All other settings go through <c>--set</c>.</summary>
    public static IReadOnlyList<CommandLineOption> All { get; } =
    [
        new("--open-port", "PORTS", "open_port", "trace processes that listen on these ports: 80,443,8000-8999"),
        new("--executable", "GLOB", "AutoTargetExe", "trace executables whose full path matches: '*/nginx'"),
        new("--pid", "PIDS", "target_pids", "trace these processes and nothing else: 1234,5678"),
        new("--language", "GLOB", "AutoTargetLanguage", "trace programs in these languages: '{go,python}'"),
        new("--trace-printer", "FORMAT", "trace_printer", "print spans: text, json, json_indent, counter, disabled"),
        new("--network", null, "network.enable", "watch network flows"),
        new("--network-source", "SOURCE", "network.source", "how flows are captured: socket_filter, tc"),
        new("--print-flows", null, "network.print_flows", "print flows, one line each"),
        new("--log-level", "LEVEL", "log_level", "DEBUG, INFO, WARN, ERROR"),
        new("--enforce-sys-caps", null, "enforce_sys_caps", "do not start when a capability is missing"),
        new("--exit-with-parent", null, "exit_with_parent", "stop when standard input ends or the starting process is gone"),
    ];
}

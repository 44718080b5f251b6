using System.Text.RegularExpressions;

namespace Beyla.PowerShell.Agent;

/// <summary>What the agent says in its log that the module acts on, and how it speaks of what the module told it.</summary>
public static partial class AgentWords
{
    /// <summary>
    /// The message when everything is attached: from now on nothing is missed. Its field <c>processes</c> counts the traced ones.
    /// </summary>
    public const string Attached = "Beyla is tracing";

    /// <summary>The message when a process is traced from now on.</summary>
    public const string Selected = "Tracing process";

    /// <summary>Part of the error of the line that names documented capabilities which are missing.</summary>
    public const string Required = "capabilities are required";

    private static readonly Dictionary<string, string> Parameters = new(StringComparer.Ordinal)
    {
        ["BEYLA_OPEN_PORT"] = "-OpenPort",
        ["BEYLA_AUTO_TARGET_EXE"] = "-Executable",
        ["BEYLA_TARGET_PID"] = "-Id",
        ["BEYLA_AUTO_TARGET_LANGUAGE"] = "-Language",
        ["BEYLA_CONFIG_PATH"] = "-ConfigPath",
        ["BEYLA_BPF_CONTEXT_PROPAGATION"] = "-ContextPropagation",
        ["BEYLA_BPF_HTTP_REQUEST_TIMEOUT"] = "-RequestTimeout",
        ["BEYLA_BPF_POLL_INTERVAL"] = "-LowLatency",
        ["BEYLA_ENFORCE_SYS_CAPS"] = "-EnforceCapability",
        ["BEYLA_NETWORK_SOURCE"] = "-Source",
        ["BEYLA_NETWORK_INTERFACES"] = "-Interface",
        ["BEYLA_NETWORK_PROTOCOLS"] = "-Protocol",
        ["BEYLA_NETWORK_DIRECTION"] = "-Direction",
        ["BEYLA_NETWORK_CIDRS"] = "-Cidr",
        ["BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT"] = "-Interval",
        ["BEYLA_REVERSE_DNS_TYPE"] = "-ResolveName",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "-Endpoint",
    };

    /// <summary>
    /// Whether a line says of one capability that it is missing: <c>CAP_BPF is missing</c>, a warning where the agent needs it.
    /// </summary>
    public static bool IsMissing(LogLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return line.Message.StartsWith("CAP_", StringComparison.Ordinal) && line.Message.EndsWith(" is missing", StringComparison.Ordinal);
    }

    /// <summary>
    /// The same text with parameters in place of the variables by which the module passed them on. Variables of the
    /// caller's environment keep their names.
    /// </summary>
    public static string InParameters(string text, AgentCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return Variable().Replace(text, match =>
            command.Settings.TryGetValue(match.Groups["name"].Value, out var value)
                && value.Length > 0
                && Parameters.TryGetValue(match.Groups["name"].Value, out var parameter)
                ? parameter
                : match.Value);
    }

    [GeneratedRegex("(environment )?(?<name>(BEYLA|OTEL)_[A-Z_]+)")]
    private static partial Regex Variable();
}

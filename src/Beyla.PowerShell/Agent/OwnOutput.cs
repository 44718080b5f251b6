namespace Beyla.PowerShell.Agent;

/// <summary>
/// Standard output of the agent is the module's. The variables of a shell that would send OTLP there, <c>otlp/stdout</c> of
/// OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER, are meant for other programs; what else they say stays.
/// </summary>
internal static class OwnOutput
{
    private const string Lines = "otlp/stdout";

    /// <summary>Takes <c>otlp/stdout</c> out of what the agent inherits, where the command does not say it itself.</summary>
    /// <param name="command">The command.</param>
    /// <param name="traces">What stands for it where OTEL_TRACES_EXPORTER says nothing else.</param>
    public static AgentCommand KeepOutput(this AgentCommand command, string traces = "none") =>
        Keep(Keep(command, "OTEL_TRACES_EXPORTER", traces), "OTEL_METRICS_EXPORTER", "none");

    private static AgentCommand Keep(AgentCommand command, string variable, string instead) =>
        command.Settings.ContainsKey(variable)
            ? command : command.With(variable, Rest(Environment.GetEnvironmentVariable(variable), instead));

    /// <summary>
    /// The list without it; null where it is not in there. A list with commas, case does not count (OpenTelemetry specification,
    /// Environment Variable Specification, "Exporter Selection").
    /// </summary>
    private static string? Rest(string? list, string instead)
    {
        var all = (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] others = [.. all.Where(static one => !one.Equals(Lines, StringComparison.OrdinalIgnoreCase))];
        return others.Length == all.Length ? null : others.Length == 0 ? instead : string.Join(',', others);
    }
}

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Turns the end of an agent into the error that PowerShell shows: exit codes as <c>beyla --help</c> documents them,
/// signals, and its last words.
/// </summary>
public static class AgentExit
{
    private const int Stopped = 0, Failed = 1, Usage = 2, Capabilities = 3, CannotExecute = 126, NotThere = 127, Signal = 128;

    /// <summary>Why the agent ended.</summary>
    /// <param name="command">What was started.</param>
    /// <param name="processId">Its process id.</param>
    /// <param name="code">The exit code, 128 + n for signal n, null when it still runs.</param>
    /// <param name="begun">Whether a stream, or whatever was expected, had begun.</param>
    /// <param name="asked">Whether it was asked to stop.</param>
    /// <param name="log">What it logged.</param>
    /// <returns>Null when it ended as asked.</returns>
    public static AgentException? Judge(AgentCommand command, int processId, int? code, bool begun, bool asked, AgentLog log)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentNullException.ThrowIfNull(log);
        var words = log.Explanation() is { } explanation ? AgentWords.InParameters(explanation.Text, command) : null;
        var because = words is null ? "." : $": {words}";
        return code switch
        {
            Stopped when begun || asked => null,
            Stopped => new AgentException(AgentFault.StreamInvalid, $"The agent '{command.Path}' ended without a stream{because}",
                "Check with --version that it is the beyla agent of this module's version.", command.Path),
            null when asked => null,
            null => new AgentException(
                AgentFault.AgentDied, $"The agent (process {processId}) closed its output and was ended{because}",
                Again(command), processId),
            Usage => new AgentException(AgentFault.ConfigurationInvalid, $"The agent refused its configuration{because}",
                "Correct the value that is named; it may come from a parameter, the configuration file or the environment.", command.Path),
            Capabilities => Lacking(command, log, "."),
            Failed when log.MissingCapabilities() is not null && IsRefusal(words) => Lacking(command, log, $". {words}"),
            CannotExecute or NotThere when !begun => AgentProcess.NotStarted(command.Path, words ?? $"exit code {code}"),
            > Signal when asked => null,
            > Signal => new AgentException(
                AgentFault.AgentDied, $"The agent (process {processId}) was ended by {SignalName(code.Value - Signal)}{because}",
                Again(command), processId),
            _ when HostKernel.Lacks(HostKernel.Release, HostKernel.TypeInformation) is { } lack =>
                new AgentException(
                    AgentFault.KernelNotSupported,
                    $"This kernel does not support what was asked: {lack} The agent failed{because}",
                    "Use a kernel of 5.8 or later with BTF; Test-BeylaCapability -Probe shows what this one can do.", command.Path),
            _ => new AgentException(
                AgentFault.AgentFailed, $"The agent failed with exit code {code}{because}", Again(command), command.Path),
        };
    }

    private static AgentException Lacking(AgentCommand command, AgentLog log, string then)
    {
        // The capabilities of flows go by another name there; -Add leaves what the file has for other uses.
        var set = command.Settings.GetValueOrDefault("BEYLA_NETWORK_METRICS") != "1"
            ? "Set-BeylaCapability -Add with the same parameters, as root"
            : command.Settings.GetValueOrDefault("BEYLA_NETWORK_SOURCE") == "tc"
                ? "Set-BeylaCapability -Network -Source TrafficControl -Add, as root"
                : "Set-BeylaCapability -Network -Add, as root";
        var missing = log.MissingCapabilities();
        return new AgentException(
            AgentFault.CapabilityMissing, $"The agent lacks capabilities{(missing is null ? "" : ": " + missing.Error)}{then}",
            (log.Fix() is { } fix ? $"Run: {fix}, or {set}." : $"Run {set}.") + " Test-BeylaCapability explains each.", command.Path);
    }

    // The kernel's two ways to say that a capability is missing, by errno(3).
    private static bool IsRefusal(string? words) =>
        words is not null && (words.Contains("EPERM", StringComparison.Ordinal) || words.Contains("EACCES", StringComparison.Ordinal));

    private static string Again(AgentCommand command) => $"Run it by hand to see all that it says: {command}";

    private static string SignalName(int signal) => signal switch
    {
        4 => "signal 4 (SIGILL)",
        6 => "signal 6 (SIGABRT)",
        9 => "signal 9 (SIGKILL), by a user or for want of memory",
        11 => "signal 11 (SIGSEGV)",
        15 => "signal 15 (SIGTERM)",
        _ => $"signal {signal}",
    };
}

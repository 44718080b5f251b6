using System.Management.Automation;
using System.Text.Json;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Commands;

/// <summary>
/// What Test-BeylaCapability and Set-BeylaCapability share: the configuration that is asked about, and how the agent is asked.
/// </summary>
public abstract class CapabilityCmdlet : SelectionCmdlet
{
    private const int Done = 0, Missing = 3;

    private protected const string ByScenario = "Scenario";

    // Any of them is a configuration of its own.
    private static readonly string[] SelectingVariables =
    [
        "BEYLA_CONFIG_PATH", "BEYLA_OPEN_PORT", "BEYLA_AUTO_TARGET_EXE", "BEYLA_EXECUTABLE_NAME", "BEYLA_TARGET_PID",
        "BEYLA_AUTO_TARGET_LANGUAGE", "BEYLA_NETWORK_METRICS",
    ];

    /// <summary>Includes network flows, as Get-BeylaFlow shows them.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    public SwitchParameter Network { get; set; }

    /// <summary>How network flows are captured; implies -Network.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    public FlowSource? Source { get; set; }

    /// <summary>One of the example scenarios of the documentation, instead of a configuration.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByScenario)]
    public CapabilityScenario? Scenario { get; set; }

    /// <summary>The capabilities that this agent was shown to need, instead of the documented list for the configuration.</summary>
    [Parameter]
    public SwitchParameter Minimal { get; set; }

    private protected bool AsksForNothing => ChoosesNothing && !Network && Source is null && Scenario is null
        && !Array.Exists(SelectingVariables, v => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(v)));

    private protected AgentCommand Command(CapabilityScenario? scenario, params string[] words)
    {
        string[] named = scenario is { } known ? ["--scenario", Scenarios.Name(known)] : [];
        return Select(Command(["capability", .. words, .. named]))
            .With("BEYLA_NETWORK_METRICS", Network || Source is not null ? "1" : null)
            .With("BEYLA_NETWORK_SOURCE", Source is { } source ? Scenarios.Name(source) : null);
    }

    private protected AgentAnswer Ask(AgentCommand command)
    {
        WriteVerbose($"Starting {command}");
        var answer = AgentQuery.Run(command, StopToken);
        foreach (var line in answer.Log)
        {
            WriteVerbose(line);
        }

        return answer;
    }

    private protected CapabilityReport Report(AgentCommand command)
    {
        var answer = Ask(command);
        if (answer.ExitCode is not (Done or Missing))
        {
            throw Failure(command, answer);
        }

        try
        {
            return Safe.Of(CapabilityJson.Read(answer.Output));
        }
        catch (JsonException error)
        {
            throw new AgentException(
                AgentFault.StreamInvalid, $"The agent '{command.Path}' gave no capability report: {Visible.Text(error.Message)}",
                "Check with --version that it is the beyla agent of this module's version.", command.Path, error);
        }
    }

    private protected static AgentException Failure(AgentCommand command, AgentAnswer answer)
    {
        const string prefix = "beyla capability: ";
        var said = AgentWords.InParameters(
            answer.Log.LastOrDefault(l => l.StartsWith(prefix, StringComparison.Ordinal)) is { } line
                ? line[prefix.Length..] : LogText(answer), command);
        if (answer.ExitCode != 2)
        {
            return new AgentException(
                AgentFault.AgentFailed, $"The agent failed with exit code {answer.ExitCode}: {said}",
                $"Run it by hand to see all that it says: {command}", command.Path);
        }

        // The agent speaks of its variables and options; here are parameters.
        return said.StartsWith("nothing is asked for", StringComparison.Ordinal)
            ? new AgentException(
                AgentFault.ConfigurationInvalid, "The configuration asks for nothing: neither requests nor flows.",
                "Give -OpenPort or the like, -Network, or -Scenario.", command.Path)
            : new AgentException(
                AgentFault.ConfigurationInvalid, $"The agent refused what was asked: {said}",
                "Correct the value that is named, or give -Scenario.", command.Path);
    }

    private static string LogText(AgentAnswer answer)
    {
        var lines = answer.Log.Select(LogLine.Parse).ToList();
        return (lines.LastOrDefault(l => l.Level == LogLevel.Error) ?? lines.LastOrDefault())?.Text ?? "it said nothing";
    }
}

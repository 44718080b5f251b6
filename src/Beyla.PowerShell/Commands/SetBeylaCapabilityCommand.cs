using System.Management.Automation;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Commands;

/// <summary>Gives the agent's executable the Linux capabilities of a configuration as file capabilities, or takes them away.</summary>
[Cmdlet(VerbsCommon.Set, "BeylaCapability", DefaultParameterSetName = ByConfiguration, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(CapabilityRequirement))]
public sealed class SetBeylaCapabilityCommand : CapabilityCmdlet
{
    private const string ByRows = "Requirement", ByClear = "Clear";

    private readonly List<CapabilityRequirement> _rows = [];

    /// <summary>Rows of Test-BeylaCapability: exactly the capabilities among them that are documented for their configuration, or with -Minimal needed, are set.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByRows)]
    [ValidateNotNullOrEmpty]
    public CapabilityRequirement[]? Requirement { get; set; }

    /// <summary>Takes all file capabilities away from the agent.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByClear)]
    public SwitchParameter Clear { get; set; }

    /// <summary>Emits what Test-BeylaCapability finds afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        base.ProcessRecord();
        _rows.AddRange(Requirement ?? []);
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        if (Clear)
        {
            Change(Command(null, "clear"), "remove all file capabilities");
            return;
        }

        var fromRows = ParameterSetName == ByRows;
        var wanted = Wanted(fromRows ? _rows : Report(Command(Scenario, "test", "--json")).Requirements);
        if (wanted.Count == 0)
        {
            WriteWarning("None of the rows asks for a capability: nothing is set. Use -Clear to take all away.");
            return;
        }

        string[] words = ["set", .. Minimal ? ["--minimal"] : Array.Empty<string>(), .. fromRows ? ["--capability", string.Join(',', wanted.Select(c => c.Name().ToLowerInvariant()))] : Array.Empty<string>()];
        Change(Command(Scenario, words), $"set the file capabilities {string.Join(", ", wanted.Select(c => c.Name()))}, and only these");
        if (PassThru && !WhatIf)
        {
            foreach (var requirement in fromRows ? Again() : Report(Command(Scenario, "test", "--json")).Requirements)
                WriteObject(requirement);
        }
    });

    private bool WhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out var value) && value is SwitchParameter { IsPresent: true };

    private List<Capability> Wanted(IEnumerable<CapabilityRequirement> rows) =>
        [.. rows.Where(r => Minimal ? r.Needed : r.Documented).Select(r => r.Capability).Distinct().Order()];

    // The rows name capabilities and no configuration, so afterwards each is judged by the scenario that asks for everything.
    private IEnumerable<CapabilityRequirement> Again()
    {
        var now = Report(Command(CapabilityScenario.ApplicationPropagation, "test", "--json")).Requirements;
        return now.Where(r => _rows.Exists(row => row.Capability == r.Capability));
    }

    private void Change(AgentCommand command, string action)
    {
        if (!ShouldProcess(command.Path, action))
            return;

        var answer = Ask(command);
        if (answer.ExitCode == 0)
        {
            foreach (var line in Visible.Lines(answer.Output))
                WriteVerbose(line);
            return;
        }

        var remedy = answer.Log.FirstOrDefault(l => l.StartsWith("sudo ", StringComparison.Ordinal));
        throw remedy is null
            ? Failure(command, answer)
            : new AgentException(AgentFault.CapabilityNotPermitted, $"Not allowed to {action} on '{command.Path}'. Run: {remedy}", remedy, command.Path);
    }
}

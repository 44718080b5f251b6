using System.Management.Automation;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Commands;

/// <summary>Gives the agent's executable the Linux capabilities of a configuration as file capabilities, or takes them away.</summary>
/// <remarks>
/// <para>With file capabilities, every user who may execute the agent can trace without being root. By default the documented set for
/// the configuration is written; with -Minimal, only what this agent needs. The capabilities that the file had before are replaced;
/// with -Add they stay.</para>
/// <para>The configuration comes from the same parameters as for Start-BeylaTrace (-Network for Get-BeylaFlow), from a scenario, or
/// from rows of Test-BeylaCapability.</para>
/// <para>The agent itself writes the capabilities. It accepts only files of its own kind: never pwsh, dotnet, a script, or a file that
/// others may write. Without the right to write them (CAP_SETFCAP), the error names the exact sudo command.</para>
/// <para>Building or installing the agent again makes a new file without capabilities.</para>
/// </remarks>
/// <example>
/// <title>Allow tracing</title>
/// <code>sudo pwsh -c "Import-Module $((Get-Module Beyla).ModuleBase); Set-BeylaCapability -OpenPort 8080"</code>
/// <para>Afterwards an ordinary user can run Start-BeylaTrace. The full path is needed because root's modules are in other folders.</para>
/// </example>
/// <example>
/// <title>Allow flows too</title>
/// <code>sudo pwsh -c "Import-Module $((Get-Module Beyla).ModuleBase); Set-BeylaCapability -Network -Add"</code>
/// <para>Get-BeylaFlow works too, and the capabilities that were set for Start-BeylaTrace stay.</para>
/// </example>
/// <example>
/// <title>See what would be done</title>
/// <code>Set-BeylaCapability -Scenario Network -Minimal -WhatIf</code>
/// <para>Shows the file and the capabilities and changes nothing. This needs no privilege.</para>
/// </example>
/// <example>
/// <title>From a report</title>
/// <code>Test-BeylaCapability -OpenPort 8080 | Where-Object Capability -ne SysPtrace | Set-BeylaCapability -PassThru</code>
/// <para>Sets what is documented for tracing except one capability, and shows the result.</para>
/// </example>
/// <example>
/// <title>Take them away</title>
/// <code>Set-BeylaCapability -Clear</code>
/// <para>Afterwards the agent's file has no capabilities.</para>
/// </example>
[Cmdlet(VerbsCommon.Set, "BeylaCapability", DefaultParameterSetName = ByConfiguration, SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.Medium, HelpUri = Pages)]
[OutputType(typeof(CapabilityRequirement))]
public sealed class SetBeylaCapabilityCommand : CapabilityCmdlet
{
    private const string ByRows = "Requirement", ByClear = "Clear";

    private readonly List<CapabilityRequirement> rows = [];

    /// <summary>
    /// Rows of Test-BeylaCapability. Of these capabilities, exactly those are set that are documented for their configuration, or with
    /// -Minimal those that are needed.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByRows)]
    [ValidateNotNullOrEmpty]
    public CapabilityRequirement[]? Requirement { get; set; }

    /// <summary>Keeps the file capabilities that the agent already has, such as those for another use, instead of replacing them.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [Parameter(ParameterSetName = ByScenario)]
    [Parameter(ParameterSetName = ByRows)]
    public SwitchParameter Add { get; set; }

    /// <summary>Removes all file capabilities from the agent.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByClear)]
    public SwitchParameter Clear { get; set; }

    /// <summary>Emits one row for each capability: what the file then gives to an ordinary user, even when root runs this.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        base.ProcessRecord();
        this.rows.AddRange(Requirement ?? []);
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        var fromRows = ParameterSetName == ByRows;
        if (CameWithNothing(this.rows.Count + Ids.Count + (Name?.Length ?? 0)))
        {
            return;
        }

        FindNames();
        if (Clear)
        {
            if (Change(Command(null, "clear"), "remove all file capabilities") && PassThru)
            {
                WriteObject(OfFile(Everything), enumerateCollection: true);
            }

            return;
        }

        if (!fromRows && AsksForNothing)
        {
            throw new AgentException(AgentFault.ConfigurationInvalid, "Nothing says what the capabilities are for.",
                "Give the parameters that Start-BeylaTrace gets, -Network, -Scenario, or rows of Test-BeylaCapability by the pipeline; "
                + "-Clear takes all away.", MyInvocation.MyCommand.Name);
        }

        var report = fromRows ? null : Report(Command(Scenario, "test", "--json"));
        var wanted = Wanted(report?.Requirements ?? this.rows);
        if (wanted.Count == 0)
        {
            WriteWarning("None of the rows asks for a capability: nothing is set. Use -Clear to take all away.");
            return;
        }

        string[] words =
        [
            "set", .. Add ? ["--add"] : Array.Empty<string>(),
            .. fromRows ? ["--capability", string.Join(',', wanted.Select(c => c.Name().ToLowerInvariant()))]
            : Minimal ? ["--minimal"] : Array.Empty<string>(),
        ];
        var before = report?.Host.FirstOrDefault(h => h.Name == "file capabilities")?.Value;
        var names = string.Join(", ", wanted.Select(c => c.Name()));
        var changed = Change(Command(Scenario, words),
            (Add ? $"add the file capabilities {names} to those that are there" : $"set the file capabilities {names}, and only these")
                + (before is null ? "" : $" (now: {before})"));
        if (changed && PassThru)
        {
            WriteObject(
                fromRows ? OfFile(Everything).Where(r => this.rows.Exists(row => row.Capability == r.Capability)) : OfFile(Scenario),
                enumerateCollection: true);
        }
    });

    // The rows of a pipeline name capabilities and no configuration, so afterwards each is judged by the scenario that asks for everything.
    private static CapabilityScenario Everything => CapabilityScenario.ApplicationPropagation;

    private List<Capability> Wanted(IEnumerable<CapabilityRequirement> rows) =>
        [.. rows.Where(r => Minimal ? r.Needed : r.Documented).Select(r => r.Capability).Distinct().Order()];

    // Root holds every capability, whatever the file has: the file is asked about, as an ordinary user would get it. Which file that is
    // the agent says, which may be started by a script.
    private IEnumerable<CapabilityRequirement> OfFile(CapabilityScenario? scenario)
    {
        var agent = Report(Command(scenario, "test", "--json")).Agent;
        return Report(Command(scenario, "test", "--json", "--file", agent)).Requirements;
    }

    // Whether it was done, and not only asked about.
    private bool Change(AgentCommand command, string action)
    {
        if (!ShouldProcess(command.Path, action))
        {
            return false;
        }

        var answer = Ask(command);
        if (answer.ExitCode == 0)
        {
            foreach (var line in Visible.Lines(answer.Output))
            {
                WriteVerbose(line);
            }

            return true;
        }

        var remedy = answer.Log.FirstOrDefault(l => l.StartsWith("sudo ", StringComparison.Ordinal));
        throw remedy is null
            ? Failure(command, answer)
            : new AgentException(
                AgentFault.CapabilityNotPermitted, $"Not allowed to {action} on '{command.Path}'. Run: {remedy}", remedy, command.Path);
    }
}

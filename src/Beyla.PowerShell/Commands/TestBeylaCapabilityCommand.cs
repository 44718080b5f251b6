using System.Management.Automation;

namespace Beyla.PowerShell.Commands;

/// <summary>
/// Says for each Linux capability whether the agent has it, what it is for, what does not work without it, and how to get it.
/// </summary>
/// <remarks>
/// <para>Emits one object for each capability. The configuration comes from the same parameters as for Start-BeylaTrace, or from one of
/// the example scenarios of the documentation. Without any of these, the scenario Application is tested. Nothing is loaded, and no
/// privilege is needed.</para>
/// <para>Documented capabilities are those that the documentation lists for a configuration; the agent warns at its start if one is
/// missing. Needed capabilities are those without which this agent on this kernel cannot do a part of its work.</para>
/// <para>Each host setting that prevents something gives a warning with the remedy. The other settings are in the verbose stream.</para>
/// </remarks>
/// <example>
/// <title>What tracing needs</title>
/// <code>Test-BeylaCapability -OpenPort 8080</code>
/// <para>Shows each capability, whether the agent has it, and what does not work without it.</para>
/// </example>
/// <example>
/// <title>Only what is missing, with the remedy</title>
/// <code>
/// $missing = Test-BeylaCapability -Network | Where-Object State -eq Missing
/// $missing | Format-List Name, Reason, WithoutIt
/// $missing.Fix | Select-Object -Unique
/// </code>
/// <para>Explains what is missing for network flows on this host. One command sets everything, so it is shown once.</para>
/// </example>
/// <example>
/// <title>In a script</title>
/// <code>if (-not (Test-BeylaCapability -OpenPort 8080 -Quiet)) { 'not ready' }</code>
/// <para>With -Quiet the result is True or False.</para>
/// </example>
/// <example>
/// <title>Ask the kernel</title>
/// <code>Test-BeylaCapability -OpenPort 8080 -Probe -Verbose</code>
/// <para>Loads each program and opens each file that tracing needs, and attaches nothing. Each refusal by the kernel gives a
/// warning with the reason.</para>
/// </example>
[Cmdlet(VerbsDiagnostic.Test, "BeylaCapability", DefaultParameterSetName = ByConfiguration, HelpUri = Pages)]
[OutputType(typeof(CapabilityRequirement), typeof(bool))]
public sealed class TestBeylaCapabilityCommand : CapabilityCmdlet
{
    /// <summary>Asks the kernel too: loads each program and opens each file that the configuration needs, and attaches nothing.</summary>
    [Parameter]
    public SwitchParameter Probe { get; set; }

    /// <summary>
    /// Returns True if no documented capability is missing, else False. With -Minimal, only the needed capabilities count. With -Probe,
    /// each attempt must have worked too.
    /// </summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        FindNames();
        var scenario = Scenario;
        if (AsksForNothing)
        {
            scenario = CapabilityScenario.Application;
            WriteVerbose("No configuration is given: the scenario Application is tested.");
        }

        var report = Report(Command(scenario, ["test", "--json", .. Probe ? ["--probe"] : Array.Empty<string>()]));
        if (Quiet)
        {
            WriteObject((Minimal ? report.NeededPresent : report.DocumentedPresent && report.NeededPresent)
                && report.Probes.All(p => p.Answer != ProbeAnswer.No));
            return;
        }

        foreach (var requirement in report.Requirements)
        {
            WriteObject(requirement);
        }

        Tell(report);
    });

    private void Tell(CapabilityReport report)
    {
        foreach (var setting in report.Host)
        {
            var text = $"{setting.Name} = {setting.Value}: {setting.Meaning}"
                + (setting.Fix.Count == 0 ? "" : $" Fix: {string.Join(" | ", setting.Fix)}");
            if (setting.Verdict == HostVerdict.Wrong)
            {
                WriteWarning(text);
            }
            else
            {
                WriteVerbose(text);
            }
        }

        foreach (var probe in report.Probes)
        {
            var text = $"{probe.Operation}: {probe.Answer} {probe.Error} {probe.Evidence}".TrimEnd();
            if (probe.Answer == ProbeAnswer.No)
            {
                WriteWarning(text);
            }
            else
            {
                WriteVerbose(text);
            }
        }
    }
}

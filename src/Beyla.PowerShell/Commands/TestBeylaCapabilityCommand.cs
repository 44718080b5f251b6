using System.Management.Automation;

namespace Beyla.PowerShell.Commands;

/// <summary>Says for each Linux capability whether the agent has it, what it is for, what does not work without it, and how to get it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "BeylaCapability", DefaultParameterSetName = ByConfiguration)]
[OutputType(typeof(CapabilityRequirement), typeof(bool))]
public sealed class TestBeylaCapabilityCommand : CapabilityCmdlet
{
    /// <summary>Asks the kernel too: loads each program and opens each file that the configuration needs, and attaches nothing.</summary>
    [Parameter]
    public SwitchParameter Probe { get; set; }

    /// <summary>
    /// Gives True when nothing is missing, else False: of the documented capabilities, or with -Minimal of those that are needed. With -Probe each attempt must have worked too.
    /// </summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        var scenario = Scenario;
        if (AsksForNothing)
        {
            scenario = CapabilityScenario.Application;
            WriteVerbose("No configuration is given: the scenario Application is tested.");
        }

        var report = Report(Command(scenario, ["test", "--json", .. Probe ? ["--probe"] : Array.Empty<string>()]));
        if (Quiet)
        {
            WriteObject((Minimal ? report.NeededPresent : report.DocumentedPresent && report.NeededPresent) && report.Probes.All(p => p.Answer != ProbeAnswer.No));
            return;
        }

        foreach (var requirement in report.Requirements)
            WriteObject(requirement);
        Tell(report);
    });

    private void Tell(CapabilityReport report)
    {
        foreach (var setting in report.Host)
        {
            var text = $"{setting.Name} = {setting.Value}: {setting.Meaning}" + (setting.Fix.Count == 0 ? "" : $" Fix: {string.Join(" | ", setting.Fix)}");
            if (setting.Verdict == HostVerdict.Wrong)
                WriteWarning(text);
            else
                WriteVerbose(text);
        }

        foreach (var probe in report.Probes)
        {
            var text = $"{probe.Operation}: {probe.Answer} {probe.Error} {probe.Evidence}".TrimEnd();
            if (probe.Answer == ProbeAnswer.No)
                WriteWarning(text);
            else
                WriteVerbose(text);
        }
    }
}

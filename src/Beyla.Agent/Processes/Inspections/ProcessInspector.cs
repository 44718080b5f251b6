using System.Diagnostics;
using Beyla.Agent.Processes.Inspections.Go;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>Looks at a process: reads those of its files that are asked for, within the limits of one look. For a thread aside.</summary>
internal sealed class ProcessInspector(
    ProcReader proc, IListenerScan listeners, IFileGate? gate, TimeSpan limit, IGoProbes? probes = null)
    : IInspector, IDisposable
{
    private readonly LanguageDetector languages = new(proc, gate);
    private readonly GoExecutableReader executables = new(proc, gate, probes);

    /// <inheritdoc/>
    public InspectionResult Inspect(Inspection inspection)
    {
        proc.Budget.Begin(limit);
        var pid = inspection.Pid;
        if (!IsThere(inspection))
        {
            return InspectionResult.Without(inspection, isGone: true);
        }

        var link = proc.ExecutableLink(pid);
        if (link is not null && inspection.Link is not null && link != inspection.Link)
        {
            return InspectionResult.Without(inspection, isGone: true);
        }

        var (parts, ports) = (inspection.Parts, new ScannedPorts());
        if (parts.HasFlag(InspectionParts.OnlyWithPorts))
        {
            Scan(pid, ports);
            if (ports.Of(pid).Length == 0)
            {
                return InspectionResult.Without(inspection, isGone: false) with { IsWhole = true };
            }
        }

        // What goes first when a process ends comes first.
        var names = parts.HasFlag(InspectionParts.Names) ? ServiceNames.Read(proc, pid) : default;
        var executable = ExecutableOf(pid, link, inspection.Executed);
        var arguments = parts.HasFlag(InspectionParts.Arguments) ? proc.CommandLine(pid)?.Arguments ?? "" : "";
        var group = parts.HasFlag(InspectionParts.ControlGroup) ? proc.ControlGroup(pid) : null;
        var go = parts.HasFlag(InspectionParts.Go) ? executables.Read(pid) : null;
        var language = parts.HasFlag(InspectionParts.Language) ? languages.Detect(pid, executable) : ProcessLanguage.Generic;
        if ((parts & (InspectionParts.Ports | InspectionParts.OnlyWithPorts)) == InspectionParts.Ports)
        {
            Scan(pid, ports);
        }
        // The pid may have become another process between two of these files.
        if (proc.TryStat(pid, out var stat) && stat.StartTime != inspection.StartTime)
        {
            return InspectionResult.Without(inspection, isGone: true);
        }

        return new InspectionResult
        {
            // What has given up its memory is about to end and shows nothing of its program; to whom that is refused its arguments are not.
            Of = inspection, IsGone = executable.Length == 0 && proc.CommandLine(pid) is not { Program.Length: > 0 },
            IsWhole = !proc.Budget.IsLate, Executable = executable, Arguments = arguments,
            Names = names, Language = language, Ports = ports.Of(pid), Go = go, ControlGroup = group,
        };
    }

    /// <summary>Gives back what the reader holds.</summary>
    public void Dispose() => proc.Dispose();

    /// <summary>The kernel alone is asked, by way of the keeper: what that takes is not the process's fault.</summary>
    private void Scan(int pid, ScannedPorts ports)
    {
        var begun = Stopwatch.GetTimestamp();
        listeners.Scan(pid, ports);
        proc.Budget.GiveBack(begun);
    }

    private bool IsThere(Inspection inspection) => proc.TryStat(inspection.Pid, out var stat) && stat.StartTime == inspection.StartTime;

    private string ExecutableOf(int pid, string? link, string executed)
    {
        if (link is { Length: > 0 })
        {
            return proc.TrueExecutable(pid, link);
        }

        if (MapsLine.Executable(proc, pid) is { Length: > 0 } mapped)
        {
            return mapped;
        }
        // Empty rather than an argument 0 that is no path: that one says what the process likes to be called.
        return executed.Length > 0 ? executed : proc.CommandLine(pid) is { } line && line.Program.StartsWith('/') ? line.Program : "";
    }
}

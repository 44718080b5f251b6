using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Processes;

// What becomes of a process when its inspection is back: it is traced, or not, and so are those that waited for it.
public sealed partial class ProcessTable
{
    private void OnInspected(InspectionResult result)
    {
        if (!looking.Remove(result.Of.Number, out var entry))
        {
            return;
        }

        entry.Look = 0;
        if (!IsCurrent(entry) && entry.Heirs is null)
        {
            return;
        }

        if (result.Of.Parts == InspectionParts.Go)
        {
            if (result is { IsGone: false, Go: { } go } && entry.State == ProcessState.Selected && IsCurrent(entry))
            {
                options.Go?.Begin(entry.Info!, go);
            }

            Accept(entry);
            return;
        }

        // What was found before is better than what one that is gone, or does not let itself be looked at, has left.
        var learns = !entry.IsIdentified || result is { IsGone: false, IsWhole: true };
        if (learns)
        {
            Learn(entry, result);
        }

        entry.IsUnseen = result.IsGone && entry.Executable.Length == 0;
        // Nothing was left to look at: whoever listens passed the socket on, so it was of the same service.
        if (entry is { IsUnseen: true, IsAdopted: true } && ListenerOf(entry) is { } listener)
        {
            entry.Inherit(listener);
            Accept(entry);
            return;
        }

        if (entry.IsIdentified && (!learns || !needs.Language))
        {
            Accept(entry);
            return;
        }

        var facts = FactsOf(entry, result.Language);
        if (judge.Judge(facts, out var rule) == Verdict.Selected)
        {
            entry.Info = judge.Identify(facts, rule!, entry.Names) with { ControlGroup = entry.ControlGroup, StartTime = entry.StartTime };
            entry.IsUndecided = false;
            if (entry.State == ProcessState.Pending)
            {
                entry.State = ProcessState.Selected;
            }

            Accept(entry);
        }
        else if (entry.Again && needs.Language)
        {
            // It listened meanwhile, and by then its runtime was loaded.
            entry.Again = false;
            Look(entry, judge.Parts, waits: entry.IsAwaited);
        }
        else
        {
            Reject(entry, judge.IsWanted(facts) && judge.IsExcluded(facts));
        }
    }

    private static void Learn(ProcessEntry entry, InspectionResult result)
    {
        var parts = result.Of.Parts;
        if (!entry.IsIdentified)
        {
            entry.Executable = result.Executable;
        }

        if (parts.HasFlag(InspectionParts.Names) && !entry.HasNames)
        {
            entry.Names = result.Names;
        }

        if (parts.HasFlag(InspectionParts.Arguments))
        {
            entry.Arguments = result.Arguments;
        }

        if (parts.HasFlag(InspectionParts.ControlGroup))
        {
            entry.ControlGroup = result.ControlGroup;
        }

        foreach (var port in result.Ports)
        {
            entry.Ports = ScannedPorts.With(entry.Ports, port);
        }

        if (entry.Info is { } info && result.Language != info.Language)
        {
            entry.Info = info with { Language = result.Language };
        }
    }

    private void Accept(ProcessEntry entry)
    {
        var isFirst = !entry.IsIdentified;
        entry.IsIdentified = true;
        if (IsCurrent(entry))
        {
            if (isFirst)
            {
                NoteServer(entry);
                secondLook.Add(entry.Pid, entry.Since, options.Clock());
                if (entry.Names.IsHidden)
                {
                    hidden.Tell(entry.Pid, entry.Executable);
                }

                options.Selected?.Invoke(entry.Info!);
            }

            if (entry.Again && MayChange(entry))
            {
                entry.Again = false;
                Look(entry, InspectionParts.Language, waits: entry.IsAwaited);
                return;
            }
        }

        entry.Again = entry.IsAwaited = false;
        Release(entry.Pid);
        foreach (var heir in TakeHeirs(entry))
        {
            heir.Inherit(entry);
            if (entry.IsUnseen && IsCurrent(heir) && proc.TryStat(heir.Pid, out _))
            {
                // A daemon, whose starter listened, forked and ended.
                heir.IsIdentified = false;
                Look(heir, judge.Parts, waits: true);
                continue;
            }

            heir.IsAwaited = false;
            if (heir.Again && MayChange(heir) && IsCurrent(heir))
            {
                Look(heir, InspectionParts.Language, waits: true);
            }

            heir.Again = false;
            Release(heir.Pid);
        }

        AskForGo(entry);
    }

    /// <summary>A Go program that is traced is asked where it keeps its goroutines. No span waits for that.</summary>
    private void AskForGo(ProcessEntry entry)
    {
        if (options.Go is null || entry.IsGoAsked || entry is not { State: ProcessState.Selected, Info.Language: ProcessLanguage.Go }
            || !IsCurrent(entry))
        {
            return;
        }

        entry.IsGoAsked = true;
        Look(entry, InspectionParts.Go, waits: false);
    }

    private void Reject(ProcessEntry entry, bool isExcluded)
    {
        foreach (var rejected in TakeHeirs(entry).Prepend(entry))
        {
            rejected.IsAwaited = rejected.IsUndecided = false;
            rejected.Info = null;
            if (!IsCurrent(rejected))
            {
                continue;
            }

            if (rejected.State == ProcessState.Exited)
            {
                entries.Remove(rejected.Pid);
            }
            else if (isExcluded)
            {
                Exclude(rejected.Pid, rejected.Since);
            }
            else
            {
                Forget(rejected.Pid);
            }

            if (rejected.ServedPort != 0 && !isExcluded)
            {
                Adopt(rejected.Pid, rejected.ServedPort);
            }

            Release(rejected.Pid);
        }

        foreach (var port in entry.Ports)
        {
            if (servers.GetValueOrDefault(port) == entry)
            {
                servers.Remove(port);
            }
        }

        if (entry.IsFresh && !isExcluded && needs.LanguageAlone && entry.State != ProcessState.Exited)
        {
            secondLook.Add(entry.Pid, entry.Since, options.Clock());
        }
    }

    /// <summary>Has a process wait together with the one whose identity it inherits, if that is awaited.</summary>
    private static void Await(ProcessEntry heir, ProcessEntry from)
    {
        if (!from.IsAwaited)
        {
            return;
        }

        heir.IsAwaited = true;
        heir.Origin = from.Origin ?? from;
        (heir.Origin.Heirs ??= []).Add(heir);
    }

    private static List<ProcessEntry> TakeHeirs(ProcessEntry entry)
    {
        var heirs = entry.Heirs ?? [];
        entry.Heirs = null;
        heirs.ForEach(static heir => heir.Origin = null);
        return heirs;
    }

    private static ProcessFacts FactsOf(ProcessEntry entry, ProcessLanguage? language = null) => new()
    {
        Pid = entry.Pid, Executable = entry.Executable, CommandLine = entry.Arguments, ListeningPorts = entry.Ports,
        Language = language ?? entry.Info?.Language ?? ProcessLanguage.Generic,
    };
}

using System.Diagnostics;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Processes;

/// <summary>
/// Looking at processes: what the kernel alone knows (that it lives, the path of its executable) at once, the rest aside. Between the two
/// a process is awaited; if it is not even known whether a rule wants it, it is pending, and traced.
/// </summary>
public sealed partial class ProcessTable
{
    /// <summary>Looks that had no room are asked for again, so many at a time.</summary>
    private const int DeferredPerTick = 4096;

    private readonly Dictionary<long, ProcessEntry> looking = [];
    private readonly Queue<ProcessEntry> deferred = [];
    private readonly LookBudget budget = new();
    private long lookNumber;

    /// <summary>Whether something is read aside at this moment, or is to be.</summary>
    public bool IsLooking => looking.Count > 0 || deferred.Count > 0;

    /// <summary>Takes what was found out aside. Call it whenever the event loop wakes up.</summary>
    public void TakeResults()
    {
        if (looking.Count == 0)
        {
            return;
        }

        aside.Watch();
        while (aside.TryTake(out var result))
        {
            OnInspected(result);
        }
    }

    /// <summary>Waits for what is read aside: at the start, before there are events, and at the end, when there are no more.</summary>
    /// <param name="limit">For this long at most.</param>
    /// <param name="isEnough">Ends the wait.</param>
    public void Settle(TimeSpan limit, Func<bool> isEnough)
    {
        var step = TimeSpan.FromMilliseconds(20);
        for (var begun = Stopwatch.GetTimestamp(); ; aside.Wait(step))
        {
            TakeResults();
            SubmitDeferred();
            if (!IsLooking || isEnough() || Stopwatch.GetElapsedTime(begun) >= limit)
            {
                return;
            }
        }
    }

    /// <summary>Judges a process and makes it so, here and in the kernel, as far as that is possible without waiting.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="ports">Ports it listens on.</param>
    /// <param name="executed">Path given to execve, where it is known: used when the executable may not be read.</param>
    /// <param name="since">As <see cref="ProcessEntry.Since"/>.</param>
    /// <param name="scan">It may listen on more ports.</param>
    /// <param name="isFresh">A program has just begun.</param>
    /// <param name="isAdopted">It does not listen on the ports itself: a socket was passed to it.</param>
    /// <returns>Its entry; null when it is not to be traced and nothing forbids it.</returns>
    private ProcessEntry? Examine(
        int pid, ushort[] ports, string executed, long since, bool scan = false, bool isFresh = false, bool isAdopted = false)
    {
        var facts = new ProcessFacts { Pid = pid, ListeningPorts = ports };
        if (!proc.TryStat(pid, out var stat))
        {
            return ExamineGone(facts, ports, executed, since);
        }
        // Where rules ask for ports and pids alone, the program of a process that they do not want is not asked for.
        if (stat.IsKernelThread || (!needs.Program && !scan && !judge.IsWanted(facts)))
        {
            Forget(pid);
            return null;
        }

        var link = proc.ExecutableLink(pid);
        var path = link is { Length: > 0 } ? ProcReader.WithoutDeletedMark(link) : executed;
        facts = facts with { Executable = path, Language = LanguageDetector.FromName(ServiceNames.FileName(path)) };
        var verdict = judge.Judge(facts, !scan, link is { Length: > 0 } && !ProcReader.EndsLikeDeleted(link), out var rule);
        if (verdict is Verdict.Selected or Verdict.Undecided && judge.IsOwn(pid, stat))
        {
            verdict = Verdict.Excluded;
        }

        switch (verdict)
        {
            case Verdict.Unwanted:
                Forget(pid);
                return null;
            case Verdict.Excluded:
                foreach (var port in ports)
                {
                    servers.Remove(port);
                }

                return Exclude(pid, since) == Outcome.Aggregated ? entries.GetValueOrDefault(pid) : null;
        }

        var started = StartedWith(pid);
        var entry = new ProcessEntry
        {
            Pid = pid, Since = since, State = rule is null ? ProcessState.Pending : ProcessState.Selected,
            StartTime = stat.StartTime, Ports = ports, Link = link, Executed = executed, Executable = path, IsUndecided = rule is null,
            IsFresh = isFresh, IsAdopted = isAdopted, Names = started ?? default, HasNames = started is not null,
            Info = rule is null ? null : judge.Identify(facts, rule, started ?? default) with { StartTime = stat.StartTime },
        };
        return Trace(entry, judge.Parts | PartsOf(ports, scan)) ? entry : null;
    }

    /// <summary>How the process names itself, as the kernel side saw it at execve; null where it did not.</summary>
    private ServiceNames? StartedWith(int pid) => options.StartedWith?.Invoke(pid) is { } seen ? ServiceNames.Of(seen) : null;

    /// <summary>Where each rule asks for ports, a process that listens on nothing is not opened.</summary>
    private InspectionParts PartsOf(ushort[] ports, bool scan) =>
        !scan ? InspectionParts.None : InspectionParts.Ports | (needs.WithoutPorts || ports.Length > 0 ? 0 : InspectionParts.OnlyWithPorts);

    /// <summary>
    /// A program that ran and ended before this look is judged by the path that execve was given: what it sent is still to be read.
    /// </summary>
    private ProcessEntry? ExamineGone(ProcessFacts facts, ushort[] ports, string executed, long since)
    {
        facts = facts with { Executable = executed, Language = LanguageDetector.FromName(ServiceNames.FileName(executed)) };
        if (!executed.StartsWith('/') || judge.Judge(facts, out var rule) != Verdict.Selected)
        {
            Forget(facts.Pid);
            return null;
        }

        var entry = new ProcessEntry
        {
            Pid = facts.Pid, Since = since, State = ProcessState.Selected, Ports = ports, Executed = executed, Executable = executed,
            IsIdentified = true, Info = judge.Identify(facts, rule!, StartedWith(facts.Pid) ?? default),
        };
        if (!Trace(entry, InspectionParts.None))
        {
            return null;
        }

        options.Selected?.Invoke(entry.Info);
        return entry;
    }

    /// <summary>Has the kernel trace a process from now on, and asks who it is.</summary>
    private bool Trace(ProcessEntry entry, InspectionParts parts)
    {
        kernel.Include(entry.Pid);
        kernel.Select(entry.Pid);
        if (Put(entry) == Outcome.Lost)
        {
            return false;
        }
        // Of one that has just ended the spans are still to come, but its pid may be another's soon: nobody is told
        // of an end that has been.
        if (!IsAlive(entry.Pid, entry.StartTime))
        {
            kernel.Deselect(entry.Pid);
            Bury(entry);
        }

        NoteServer(entry);
        if (parts != InspectionParts.None)
        {
            Look(entry, parts, waits: true);
        }

        return true;
    }

    /// <summary>A process that serves a selected port though it never listened there: the socket was passed to it.</summary>
    private void Adopt(int pid, int port)
    {
        if (Examine(pid, [(ushort)port], "", options.Clock(), isAdopted: true) is { } examined)
        {
            if (examined is { Executable.Length: 0, Info: not null } && ListenerOf(examined) is { Info: { } info })
            {
                examined.Info = info with { Pid = pid, StartTime = examined.StartTime }; // until a look says more, if it does in time
            }

            return;
        }

        if (proc.TryStat(pid, out _))
        {
            return;
        }
        // Gone already. Whoever listens on the port passed it on, so it was of the same service.
        var entry = new ProcessEntry
        {
            Pid = pid, Since = options.Clock(), State = ProcessState.Selected, Ports = [(ushort)port], IsAdopted = true,
        };
        if (servers.TryGetValue(port, out var server))
        {
            entry.Inherit(server);
            Await(entry, server);
        }

        if (Put(entry) != Outcome.Lost)
        {
            Bury(entry);
        }
    }

    private void LookAgain(int pid, long since)
    {
        if (!entries.TryGetValue(pid, out var entry))
        {
            if (needs.LanguageAlone)
            {
                Examine(pid, [], "", since);
            }

            Release(pid);
        }
        else if (entry.State == ProcessState.Selected && entry.Since == since && MayChange(entry))
        {
            Look(entry, InspectionParts.Language, waits: false);
        }
    }

    /// <summary>Only what may yet load a runtime; a library never makes a Go program something else.</summary>
    private static bool MayChange(ProcessEntry entry) =>
        entry.Info is not { Language: not (ProcessLanguage.Generic or ProcessLanguage.Cpp) };

    /// <summary>Asks for a look, or remembers that one is to follow when one is on its way.</summary>
    private void Look(ProcessEntry entry, InspectionParts parts, bool waits)
    {
        entry.IsAwaited |= waits;
        if (entry.Look != 0 || entry.Deferred != InspectionParts.None || entry.Origin is not null)
        {
            entry.Again |= entry.Look != 0 || entry.Origin is not null;
            return;
        }

        if (TrySubmit(entry, parts))
        {
            return;
        }

        entry.Deferred = parts;
        deferred.Enqueue(entry);
    }

    private bool TrySubmit(ProcessEntry entry, InspectionParts parts)
    {
        if (!budget.TryTake(entry.Pid, options.Clock()))
        {
            return false;
        }

        var inspection = new Inspection
        {
            Number = ++lookNumber,
            Pid = entry.Pid,
            StartTime = entry.StartTime != 0 ? entry.StartTime : proc.TryStat(entry.Pid, out var stat) ? stat.StartTime : 0,
            User = proc.UserOf(entry.Pid),
            Link = entry.IsIdentified ? null : entry.Link,
            Executed = entry.Executed.Length > 0 ? entry.Executed : entry.Executable,
            Parts = parts,
        };
        if (!aside.TrySubmit(inspection))
        {
            return false;
        }

        entry.Look = inspection.Number;
        looking[inspection.Number] = entry;
        return true;
    }

    private void SubmitDeferred()
    {
        for (var count = Math.Min(deferred.Count, DeferredPerTick); count > 0; count--)
        {
            var entry = deferred.Dequeue();
            // Nobody waits for what is no longer there.
            if (!IsCurrent(entry) && entry.Heirs is null)
            {
                continue;
            }

            if (TrySubmit(entry, entry.Deferred))
            {
                entry.Deferred = InspectionParts.None;
            }
            else
            {
                deferred.Enqueue(entry);
            }
        }
    }
}

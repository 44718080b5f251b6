using System.Diagnostics;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// Looks at processes on a thread of its own, so that whoever reads events never waits for a file or a process of
/// others. A thread that does not come back is replaced a few times; the process that holds it is answered with what
/// is known without files. Nothing waits for such a thread, not even the end of the agent: it is a background thread,
/// and its waits end when the process is killed (<see cref="FileSystems"/>).
/// </summary>
public sealed class Aside : IInspections, ICounted, IDisposable
{
    private const int StackSize = 256 * 1024, MaximumTroubles = 64;

    private readonly object gate = new();
    private readonly AsideOptions options;
    private readonly Func<IFileGate, IInspector> create;
    private readonly InspectionQueue queue;
    private readonly List<AsideWorker> workers = [];
    private readonly Queue<InspectionResult> results = [];
    private readonly HashSet<ulong> told = [];
    private readonly Signal doorbell = new();
    private readonly Pulse pulse;
    private long produced, whole, without;
    private bool stopping;

    /// <param name="options">Limits.</param>
    /// <param name="create">Makes what looks at processes, one for each thread and on it; it asks the gate before it opens a file.</param>
    internal Aside(AsideOptions options, Func<IFileGate, IInspector> create)
    {
        (this.options, this.create) = (options, create);
        queue = new InspectionQueue(options.MaximumWaiting, options.MaximumWaitingPerUser, Stopwatch.Frequency);
        pulse = new Pulse(gate, options.AskKeeper, doorbell.Set);
    }

    /// <summary>Becomes readable when there is a result; for an edge-triggered epoll, nobody needs to read it.</summary>
    public int FileDescriptor => doorbell.FileDescriptor;

    /// <summary>Whether looks last longer than they may, and it is not known yet that the processes are to blame.</summary>
    public bool IsExcusing
    {
        get
        {
            lock (gate)
            {
                return workers.Exists(static worker => worker is { Current: not null, IsGivenUp: false }
                    && (worker.IsExcused || Stopwatch.GetTimestamp() > worker.Due));
            }
        }
    }

    /// <summary>Threads, those that do not come back among them.</summary>
    internal int Threads
    {
        get
        {
            lock (gate)
            {
                return workers.Count;
            }
        }
    }

    /// <summary>Makes one; its thread starts with the first inspection, with the capabilities that are effective then.</summary>
    /// <param name="proc">How /proc is read.</param>
    /// <param name="listeners">Finds the ports of one process.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="go">Takes what is found out about Go programs; null when no one asks.</param>
    public static Aside Create(ProcReader proc, IListenerScan listeners, AsideOptions? options = null, GoProcesses? go = null)
    {
        options ??= new AsideOptions();
        options = options with { AskKeeper = options.AskKeeper ?? (proc.Desk is { } desk ? desk.Ask : null) };
        return new Aside(options, files => new ProcessInspector(proc.Another(), listeners, files, options.Deadline, go));
    }

    /// <inheritdoc/>
    public bool TrySubmit(Inspection inspection)
    {
        lock (gate)
        {
            if (stopping || !queue.TryAdd(inspection))
            {
                return false;
            }

            produced++;
            Staff();
            Monitor.PulseAll(gate);
            return true;
        }
    }

    /// <inheritdoc/>
    public bool TryTake(out InspectionResult result)
    {
        lock (gate)
        {
            return results.TryDequeue(out result!);
        }
    }

    /// <inheritdoc/>
    public void Wait(TimeSpan limit)
    {
        lock (gate)
        {
            if (results.Count == 0 && !stopping)
            {
                Monitor.Wait(gate, limit);
            }
        }
    }

    /// <inheritdoc/>
    public void Watch()
    {
        lock (gate)
        {
            var (now, changed) = (Stopwatch.GetTimestamp(), false);
            foreach (var worker in workers)
            {
                if (worker.Current is not { } inspection)
                {
                    continue;
                }

                var lasted = Stopwatch.GetElapsedTime(worker.Begun, now);
                if (!worker.IsBlocked && lasted > options.BlockedAfter)
                {
                    changed = worker.IsBlocked = true;
                    worker.Share!.Blocked++;
                }

                if (!worker.IsGivenUp && now > worker.Due && !pulse.Excuses(worker, now, options.BlockedAfter))
                {
                    changed = worker.IsGivenUp = true;
                    Answer(InspectionResult.Without(inspection, isGone: false));
                    Tell(worker);
                }
            }

            Staff();
            if (changed)
            {
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        lock (gate)
        {
            return
            [
                new PlaceCounters("inspections", "processes", produced, Aggregated: whole, Lost: without, Held: produced - whole - without),
            ];
        }
    }

    /// <summary>Takes no more and waits for nobody. The descriptor stays, as a thread that comes back late may still ring.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>What a thread does until it is not needed any more.</summary>
    internal void Work(AsideWorker worker)
    {
        using var marked = AsideThread.Enter();
        var inspector = create(worker);
        using var ended = inspector as IDisposable;
        while (Next(worker) is { } work)
        {
            var before = ProcCalls.ThreadTime();
            var result = Look(inspector, work.Inspection, work.Access);
            Finish(worker, result, (ProcCalls.ThreadTime() - before) / 1e9);
        }
    }

    /// <summary>Whether no thread is held by a file of this device; the worker counts as being there.</summary>
    internal bool MayOpen(AsideWorker worker, ulong device)
    {
        lock (gate)
        {
            if (workers.Exists(other => other.IsGivenUp && other.Device == device))
            {
                return false;
            }

            worker.Device = device;
            return !worker.IsGivenUp;
        }
    }

    private (Inspection Inspection, InspectionAccess Access)? Next(AsideWorker worker)
    {
        lock (gate)
        {
            while (!stopping)
            {
                // One that was blocked has been replaced meanwhile.
                if (workers.Exists(other => other != worker && !other.IsBlocked && other.Number < worker.Number))
                {
                    break;
                }

                var now = Stopwatch.GetTimestamp();
                if (queue.TryTake(now, AccessOf, out var inspection, out var share, out var access, out var due))
                {
                    worker.Begin(inspection, share, now, now + (long)(options.Deadline.TotalSeconds * Stopwatch.Frequency));
                    return (inspection, access);
                }

                Monitor.Wait(
                    gate,
                    due == long.MaxValue
                        ? Timeout.InfiniteTimeSpan
                        : Stopwatch.GetElapsedTime(now, due) + TimeSpan.FromMilliseconds(1));
            }

            workers.Remove(worker);
            return null;
        }
    }

    private InspectionResult Look(IInspector inspector, Inspection inspection, InspectionAccess access)
    {
        if (access == InspectionAccess.WithoutFiles)
        {
            return InspectionResult.Without(inspection, isGone: false);
        }
#pragma warning disable CA1031 // Whatever goes wrong with one process, the next one is looked at, and the agent goes on.
        try
        {
            return inspector.Inspect(inspection);
        }
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (!stopping)
            {
                options.Troubled?.Invoke($"looking at process {inspection.Pid}: {failure.Message}");
            }

            return InspectionResult.Without(inspection, isGone: false);
        }
    }

    private void Finish(AsideWorker worker, InspectionResult result, double seconds)
    {
        lock (gate)
        {
            if (worker.IsBlocked)
            {
                worker.Share!.Blocked--;
            }

            queue.Charge(worker.Share!, seconds, Stopwatch.GetTimestamp());
            if (!worker.IsGivenUp)
            {
                Answer(result);
            }

            worker.End();
            Monitor.PulseAll(gate);
        }
    }

    private void Answer(InspectionResult result)
    {
        _ = result.IsWhole ? whole++ : without++;
        results.Enqueue(result);
        doorbell.Set();
    }

    /// <summary>
    /// Where all who may be replaced are, or too many with one user, files wait until they come back, and are left
    /// out once that is given up.
    /// </summary>
    private InspectionAccess AccessOf(UserShare share)
    {
        if (workers.Count(static worker => worker.IsBlocked) >= options.MaximumBlocked)
        {
            return workers.TrueForAll(static worker => !worker.IsBlocked || worker.IsGivenUp)
                ? InspectionAccess.WithoutFiles
                : InspectionAccess.Wait;
        }

        if (share.Blocked < options.MaximumBlockedPerUser)
        {
            return InspectionAccess.Full;
        }

        return workers.TrueForAll(worker => worker.Share != share || worker.IsGivenUp)
            ? InspectionAccess.WithoutFiles
            : InspectionAccess.Wait;
    }

    /// <summary>One thread that is not blocked is enough, and there is always one.</summary>
    private void Staff()
    {
        if (stopping || queue.Count == 0 || workers.Exists(static worker => !worker.IsBlocked))
        {
            return;
        }

        var worker = new AsideWorker(this, workers.Count == 0 ? 0 : workers.Max(static worker => worker.Number) + 1);
        workers.Add(worker);
        try
        {
            new Thread(() => Work(worker), StackSize) { IsBackground = true, Name = "inspector" }.Start();
        }
        catch (OutOfMemoryException)
        {
            // No thread to be had now; the next call of Watch tries again.
            workers.Remove(worker);
        }
    }

    private void Tell(AsideWorker worker)
    {
        if (told.Count >= MaximumTroubles || !told.Add(worker.Device))
        {
            return;
        }

        var where = worker.Device == 0
            ? "its memory or its mappings"
            : $"its executable on device {worker.Device >> 32}:{worker.Device & uint.MaxValue}";
        options.Troubled?.Invoke(
            $"process {worker.Current!.Pid} does not let go of a reader of {where}: the language is told by the name alone there");
    }
}

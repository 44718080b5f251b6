using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Flows;

/// <summary>What was found of a process.</summary>
/// <param name="Name">Its service; null when the process is gone or nothing of it may be read.</param>
/// <param name="Started">When it started, CLOCK_MONOTONIC in nanoseconds, to a hundredth of a second.</param>
internal readonly record struct ServiceAnswer(string? Name, long Started);

/// <summary>
/// Names the services of processes that nobody traces, as their spans would: by their environment, else by their
/// executable. Files of a process may take any time to be read, so they are read on a thread of its own. The flow
/// thread waits for an answer, a fifth of its time at most; what is not there by then is on the next report. A thread
/// that does not come back is left behind and another one takes its place, a few times.
/// </summary>
internal sealed class ServiceFinder : IDisposable
{
    /// <summary>Processes remembered, and those that wait.</summary>
    private const int MostKnown = 16384, MostWanted = 1024;

    /// <summary>Threads left behind at a time; with more, nothing is looked up any more.</summary>
    internal const int MostStuck = 3;

    /// <summary>A process may run another program: it is looked at again after this, in milliseconds.</summary>
    private const long Fresh = 5000;

    /// <summary>What was found is not that of a process that starts later than its packets; the clock of starts is coarse.</summary>
    private const long Coarse = 20_000_000;

    private const long MostWait = 200;

    /// <summary>A process whose look did not return is not looked at for ten minutes.</summary>
    private const long Shunned = 600_000;

    private readonly Func<Func<int, ServiceAnswer>> makeLook;
    private readonly Action<string> warn;
    private readonly long patience;
    private readonly Lock gate = new();
    private readonly SemaphoreSlim answered = new(0);
    private readonly Dictionary<int, (ServiceAnswer Answer, long At)> known = [];
    private readonly Queue<int> wanted = [];
    private readonly HashSet<int> waiting = [];
    private readonly SemaphoreSlim work = new(0);
    private Worker worker;
    private int stuck;
    private long waitLeft = MostWait, waitAt = Environment.TickCount64;
    private bool ended;

    /// <param name="makeLook">Makes what looks at a process; each thread has its own.</param>
    /// <param name="warn">Told when nothing is looked up any more.</param>
    /// <param name="patience">How long one look may take before its thread is left behind, in milliseconds.</param>
    internal ServiceFinder(Func<Func<int, ServiceAnswer>> makeLook, Action<string> warn, long patience = 2000)
    {
        (this.makeLook, this.warn, this.patience) = (makeLook, warn, patience);
        worker = Start();
    }

    /// <summary>The service of a process; null when it is not known, or not yet. Flow thread.</summary>
    /// <param name="pid">In the initial pid namespace.</param>
    /// <param name="seen">When the process was known to be there, CLOCK_MONOTONIC ns: another one may have its pid by now.</param>
    internal string? Find(int pid, long seen)
    {
        lock (gate)
        {
            var now = Environment.TickCount64;
            var old = known.TryGetValue(pid, out var entry);
            if (old && now - entry.At < Fresh)
            {
                return Of(entry.Answer, seen);
            }

            if (!Want(pid, now))
            {
                return old ? Of(entry.Answer, seen) : null;
            }
        }

        AwaitAnswer(pid);
        lock (gate)
        {
            return known.TryGetValue(pid, out var entry) ? Of(entry.Answer, seen) : null;
        }
    }

    /// <summary>Ends the thread when it comes back; never waits for it.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            ended = true;
        }

        work.Release();
    }

    private static string? Of(in ServiceAnswer answer, long seen) => answer.Started > seen + Coarse ? null : answer.Name;

    /// <summary>Queues a process. False when there is no room or nobody to look.</summary>
    private bool Want(int pid, long now)
    {
        if (worker.Since is var since && since != 0 && now - since > patience && !Replace(now))
        {
            return false;
        }

        if (waiting.Contains(pid))
        {
            return true;
        }

        if (stuck > MostStuck || wanted.Count >= MostWanted)
        {
            return false;
        }

        waiting.Add(pid);
        wanted.Enqueue(pid);
        work.Release();
        return true;
    }

    /// <summary>Leaves a thread behind that has not come back, and what it looked at unknown.</summary>
    private bool Replace(long now)
    {
        worker.Since = 0;
        worker.Left = true;
        Remember(worker.Pid, default, now + Shunned);
        if (++stuck > MostStuck)
        {
            warn($"services of processes are not looked up any more: {stuck} looks at processes did not return, the last at {worker.Pid}");
            return false;
        }

        worker = Start();
        return true;
    }

    private Worker Start()
    {
        var next = new Worker();
        new Thread(() => Work(next)) { IsBackground = true, Name = "services" }.Start();
        return next;
    }

    private void Work(Worker self)
    {
        using var marked = AsideThread.Enter();
        var look = makeLook();
        while (true)
        {
            work.Wait();
            int pid;
            lock (gate)
            {
                if (ended)
                {
                    return;
                }

                if (!wanted.TryDequeue(out pid))
                {
                    continue;
                }

                (self.Pid, self.Since) = (pid, Environment.TickCount64);
            }

            var answer = look(pid);
            lock (gate)
            {
                self.Since = 0;
                if (self.Left)
                {
                    stuck--;
                    // Behind the last one that may be left nobody was put in its place: whoever comes back first goes on.
                    if (!worker.Left)
                    {
                        return;
                    }

                    self.Left = false;
                    worker = self;
                }

                Remember(pid, answer, Environment.TickCount64);
            }

            answered.Release();
        }
    }

    private void Remember(int pid, ServiceAnswer answer, long now)
    {
        waiting.Remove(pid);
        if (known.Count >= MostKnown && !known.ContainsKey(pid))
        {
            foreach (var (other, entry) in known)
            {
                if (now - entry.At >= Fresh)
                {
                    known.Remove(other);
                }
            }

            if (known.Count >= MostKnown)
            {
                known.Clear();
            }
        }

        known[pid] = (answer, now);
    }

    private void AwaitAnswer(int pid)
    {
        var now = Environment.TickCount64;
        waitLeft = Math.Min(MostWait, waitLeft + (now - waitAt) / 5);
        waitAt = now;
        var end = now + waitLeft;
        while (now < end)
        {
            _ = answered.Wait((int)(end - now));
            now = Environment.TickCount64;
            lock (gate)
            {
                if (!waiting.Contains(pid))
                {
                    break;
                }
            }
        }

        waitLeft -= now - waitAt;
        waitAt = now;
    }

    /// <summary>One thread.</summary>
    private sealed class Worker
    {
        /// <summary>What it looks at, and since when (milliseconds); 0 when at nothing.</summary>
        public int Pid;
        public long Since;
        public bool Left;
    }
}

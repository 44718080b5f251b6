namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// The threads and processes that did something lately. Both are bounded: who makes many threads takes the place of those that are silent
/// longest, and what a process is has to be measured again.
/// </summary>
internal sealed class TracedThreads
{
    private const int MaxThreads = 16_384, MaxProcesses = 4096;

    /// <summary>Order by use need not be finer than this.</summary>
    private const long TouchInterval = 1_000_000_000;

    /// <summary>A thread that was silent for so long is forgotten.</summary>
    private const long Forgotten = 60_000_000_000;

    private readonly Dictionary<int, TracedThread> threads = [];
    private readonly Dictionary<int, TracedProcess> processes = [];
    private TracedThread? oldest, newest, last;

    /// <summary>A thread is forgotten: what waits for it waits in vain.</summary>
    public Action<TracedThread>? Forgetting { get; set; }

    /// <summary>The thread.</summary>
    /// <param name="pid">Its process, in the initial pid namespace.</param>
    /// <param name="tid">The thread there.</param>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    public TracedThread Find(int pid, int tid, long now)
    {
        if (last is { } same && same.Tid == tid && same.Process.Pid == pid)
        {
            Touch(same, now);
            return same;
        }

        if (!threads.TryGetValue(tid, out var thread) || thread.Process.Pid != pid)
        {
            if (thread is not null)
            {
                Remove(thread); // the number was given to a thread of another process
            }

            thread = Add(pid, tid, now);
        }

        Touch(thread, now);
        last = thread;
        return thread;
    }

    /// <summary>Forgets who was silent for long, a bounded number per call.</summary>
    public void Tick(long now)
    {
        for (var i = 0; i < 64 && oldest is { } thread && now - thread.Touched > Forgotten; i++)
        {
            Remove(thread);
        }
    }

    private TracedThread Add(int pid, int tid, long now)
    {
        if (threads.Count >= MaxThreads)
        {
            Remove(oldest!);
        }

        if (!processes.TryGetValue(pid, out var process))
        {
            if (processes.Count >= MaxProcesses)
            {
                processes.Clear();
            }

            process = new TracedProcess(pid);
            processes.Add(pid, process);
        }

        var thread = new TracedThread(tid, process) { Touched = now };
        threads.Add(tid, thread);
        Append(thread);
        return thread;
    }

    private void Touch(TracedThread thread, long now)
    {
        if (now - thread.Touched > TouchInterval)
        {
            Unlink(thread);
            thread.Touched = now;
            Append(thread);
        }
    }

    private void Remove(TracedThread thread)
    {
        Forgetting?.Invoke(thread);
        last = last == thread ? null : last;
        Unlink(thread);
        _ = threads.Remove(thread.Tid);
    }

    private void Append(TracedThread thread)
    {
        thread.Older = newest;
        _ = newest is null ? oldest = thread : newest.Newer = thread;
        newest = thread;
    }

    private void Unlink(TracedThread thread)
    {
        _ = thread.Older is null ? oldest = thread.Newer : thread.Older.Newer = thread.Newer;
        _ = thread.Newer is null ? newest = thread.Older : thread.Newer.Older = thread.Older;
        thread.Older = thread.Newer = null;
    }
}

using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Processes;

/// <summary>What a process moves and holds; null where that is not known.</summary>
/// <param name="Disk">Bytes of storage.</param>
/// <param name="Files">Open descriptors.</param>
internal readonly record struct ProcHoldings(ProcDisk? Disk, int? Files);

/// <summary>
/// Asks what processes move and hold on a thread of its own, since one that stands still in execve(2) makes who asks wait for as long as
/// it likes (<see cref="ProcReader.ReadIo"/>). Such a thread is left there and another one goes on, a few times; its process is not asked
/// until it comes back. A thread that is not needed for a while ends. One caller.
/// </summary>
/// <param name="proc">How /proc is read.</param>
/// <param name="limit">For so long the caller waits at most.</param>
internal sealed class AsideUsage(ProcReader proc, TimeSpan limit)
{
    /// <summary>Threads that are left where they stand; beyond, nobody is asked until one comes back.</summary>
    internal const int MaximumLeft = 3;

    private const int StackSize = 256 * 1024, MaximumTold = 100;

    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(60);

    private readonly object gate = new();
    private readonly List<Worker> left = [];
    private readonly HashSet<int> told = [];
    private readonly Queue<int> wanted = [];
    private Dictionary<int, ProcHoldings> answers = [];
    private Worker? worker;

    /// <summary>
    /// Asks for each of these processes. One that does not answer in time, or is gone, is not among the answers.
    /// </summary>
    /// <param name="pids">Thread group ids.</param>
    /// <returns>By process id; the caller's from then on.</returns>
    internal Dictionary<int, ProcHoldings> Read(IEnumerable<int> pids)
    {
        lock (gate)
        {
            Leave();
            wanted.Clear();
            foreach (var pid in pids)
            {
                if (!left.Exists(one => one.Pid == pid))
                {
                    wanted.Enqueue(pid);
                }
            }

            if (wanted.Count > 0 && left.Count < MaximumLeft)
            {
                Ask();
            }

            var taken = answers;
            answers = [];
            return taken;
        }
    }

    private void Ask()
    {
        if (worker is null)
        {
            var begun = worker = new Worker();
            try
            {
                new Thread(() => Work(begun), StackSize) { IsBackground = true, Name = "usage" }.Start();
            }
            catch (OutOfMemoryException)
            {
                // No thread to be had now; the next time.
                worker = null;
                return;
            }
        }

        Monitor.PulseAll(gate);
        var until = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        for (long rest; (wanted.Count > 0 || worker is { Pid: not 0 }) && (rest = until - Environment.TickCount64) > 0;)
        {
            _ = Monitor.Wait(gate, TimeSpan.FromMilliseconds(rest));
        }

        wanted.Clear();
    }

    /// <summary>The thread that has not come back since it was asked last is not waited for any more.</summary>
    private void Leave()
    {
        if (worker is { Pid: not 0 })
        {
            left.Add(worker);
            worker = null;
        }
    }

    private void Work(Worker own)
    {
        using var aside = AsideThread.Enter();
        using var reader = proc.Another();
        var text = new byte[ProcReader.MaximumIo];
        while (Next(own) is > 0 and var pid)
        {
            var answer = Look(reader, pid, text);
            lock (gate)
            {
                // Nobody waits any more for one that was left.
                if (worker == own)
                {
                    answers[pid] = answer;
                }

                own.Pid = 0;
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>The next process; 0 where the thread is to end.</summary>
    private int Next(Worker own)
    {
        lock (gate)
        {
            var isWoken = true;
            while (worker == own && wanted.Count == 0 && isWoken)
            {
                isWoken = Monitor.Wait(gate, IdleLimit);
            }

            if (worker == own && wanted.TryDequeue(out var pid))
            {
                return own.Pid = pid;
            }

            worker = worker == own ? null : worker;
            _ = left.Remove(own);
            return 0;
        }
    }

    private ProcHoldings Look(ProcReader reader, int pid, byte[] text)
    {
        var length = reader.ReadIo(pid, text);
        if (length < 0)
        {
            Tell(reader, pid, -length);
        }

        var files = reader.CountFiles(pid);
        return new ProcHoldings(
            length > 0 && ProcDisk.TryParse(text.AsSpan(0, length), out var disk) ? disk : null, files >= 0 ? files : null);
    }

    private void Tell(ProcReader reader, int pid, int errno)
    {
        if (!Log.IsEnabled(LogLevel.Debug) || errno is Errno.ENOENT or Errno.ESRCH || told.Count >= MaximumTold || !told.Add(pid))
        {
            return;
        }

        const ProcPrivileges Needed = ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch;
        Log.Debug(
            "Bytes of disks of a process are not known", ("pid", pid), ("error", Errno.Describe(errno)),
            ("next", errno is not (Errno.EACCES or Errno.EPERM) ? ""
                : reader.Held.HasFlag(Needed) ? "the capabilities are held but not enough, as for a process in an outer user namespace"
                : "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH let the agent read /proc/PID/io of other users"));
    }

    /// <summary>A thread.</summary>
    private sealed class Worker
    {
        /// <summary>The process that it asks for; 0 when it waits for work.</summary>
        public int Pid { get; set; }
    }
}

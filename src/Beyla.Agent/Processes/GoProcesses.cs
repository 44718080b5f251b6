using System.Diagnostics;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes.Inspections.Go;

namespace Beyla.Agent.Processes;

/// <summary>
/// The Go programs that are traced: has the kernel side look at their goroutines, and sets one probe for each executable as long as one of
/// its processes is there.
/// </summary>
/// <param name="kernel">The kernel side.</param>
/// <param name="begun">Told of each process of which goroutines are looked at, and of what is not known of it; for the log.</param>
/// <param name="refused">Told when the kernel sets no probe: once, unless that is the fault of one file; for the log.</param>
public sealed class GoProcesses(
    IGoKernel kernel, Action<ProcessInfo, GoExecutable>? begun = null, Action<KernelException>? refused = null) : IGoProbes, IDisposable
{
    /// <summary>Executables with a probe at a time.</summary>
    private const int MaximumProbes = 1024;

    /// <summary>A probe is set before it is known that the process is still there: so long it may be without one.</summary>
    private static readonly TimeSpan Unused = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly Dictionary<FileIdentity, Probe> probes = [];
    private readonly Dictionary<int, FileIdentity> processes = [];
    private bool isRefused, disposed;

    /// <summary>Executables that have a probe.</summary>
    internal int Probes
    {
        get
        {
            lock (gate)
            {
                return probes.Count;
            }
        }
    }

    /// <inheritdoc/>
    bool IGoProbes.WritesHeaders => kernel.WritesHeaders;

    /// <inheritdoc/>
    void IGoProbes.Prepare(ProcReader proc, int pid, int file, GoExecutable executable)
    {
        lock (gate)
        {
            if (executable.RoundTrip == 0 || disposed || isRefused || probes.ContainsKey(executable.File))
            {
                return;
            }

            Sweep();
            if (probes.Count >= MaximumProbes)
            {
                return;
            }

            try
            {
                probes[executable.File] = new Probe(
                    kernel.Attach(proc.Desk, pid, file, executable.RoundTrip, executable.WriteBody));
            }
            catch (KernelException failure)
            {
                // The file may be one of a kind that takes none; all else holds for every file.
                isRefused = failure.Errno is Errno.EINVAL or Errno.EPERM or Errno.EACCES or Errno.EOPNOTSUPP;
                refused?.Invoke(failure);
            }
        }
    }

    /// <summary>A process runs the executable. Agent thread.</summary>
    internal void Begin(ProcessInfo process, GoExecutable executable)
    {
        End(process.Pid);
        if (executable.Offsets is { } offsets)
        {
            try
            {
                kernel.Begin(process.Pid, offsets);
            }
            catch (KernelException failure)
            {
                executable = executable with { Trouble = failure.Message };
            }

            lock (gate)
            {
                processes[process.Pid] = executable.File;
                if (probes.TryGetValue(executable.File, out var probe))
                {
                    probe.Processes++;
                }
            }
        }

        begun?.Invoke(process, executable);
    }

    /// <summary>A process has ended, runs another program, or is traced no longer. Agent thread; may be said of any process.</summary>
    internal void End(int pid)
    {
        if (!processes.Remove(pid, out var file))
        {
            return;
        }

        kernel.Forget(pid);
        lock (gate)
        {
            if (probes.TryGetValue(file, out var probe) && --probe.Processes <= 0)
            {
                probes.Remove(file);
                probe.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (var probe in probes.Values)
            {
                probe.Dispose();
            }

            probes.Clear();
        }
    }

    private void Sweep()
    {
        foreach (var (file, probe) in probes)
        {
            if (probe.Processes == 0 && Stopwatch.GetElapsedTime(probe.Since) > Unused)
            {
                probes.Remove(file);
                probe.Dispose();
            }
        }
    }

    private sealed class Probe(IDisposable links) : IDisposable
    {
        public long Since { get; } = Stopwatch.GetTimestamp();

        public int Processes { get; set; }

        /// <inheritdoc/>
        public void Dispose() => links.Dispose();
    }
}

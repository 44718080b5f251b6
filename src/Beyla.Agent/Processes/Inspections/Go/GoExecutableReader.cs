namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>Sets probes in Go programs. Called on threads aside, since the kernel reads the file for it.</summary>
internal interface IGoProbes
{
    /// <summary>Sets the probes of an executable, if that was not done. What fails is told to whoever made this.</summary>
    /// <param name="file">A descriptor that names the executable.</param>
    /// <param name="executable">What its file tells.</param>
    void Prepare(int file, GoExecutable executable);
}

/// <summary>Reads the executables of Go programs, each file once as long as it does not change. For one thread aside.</summary>
internal sealed class GoExecutableReader(ProcReader proc, IFileGate? gate, IGoProbes? probes, int maximumCached = 256)
{
    private readonly FileSystems systems = new(proc);
    private readonly Dictionary<Linux.FileIdentity, GoExecutable> cache = [];

    /// <summary>What the executable of a process tells; null when it may not be read.</summary>
    internal GoExecutable? Read(int pid)
    {
        var named = proc.NameExecutable(pid);
        if (named < 0)
        {
            return null;
        }

        try
        {
            if (!ProcCalls.TryIdentify(named, out var status) || !status.IsRegular)
            {
                return null;
            }

            // Also of a known one: to set a probe the kernel reads the file as well.
            if (!systems.MayOpen(pid, status) || gate?.MayOpen(status.Identity.Device) == false)
            {
                return null;
            }

            if (!cache.TryGetValue(status.Identity, out var executable))
            {
                executable = ReadFile(pid, named, status.Identity);
            }

            if (executable is not null)
            {
                probes?.Prepare(named, executable);
            }

            return executable;
        }
        finally
        {
            ProcCalls.Close(named);
        }
    }

    private GoExecutable? ReadFile(int pid, int named, Linux.FileIdentity identity)
    {
        var file = proc.OpenExecutable(pid, named);
        if (file < 0)
        {
            return null;
        }

        var executable = GoExecutable.Read(file, identity, proc.Budget);
        ProcCalls.Close(file);
        if (proc.Budget.IsLate)
        {
            return executable;
        }

        if (cache.Count >= maximumCached)
        {
            cache.Clear();
        }

        return cache[identity] = executable;
    }
}

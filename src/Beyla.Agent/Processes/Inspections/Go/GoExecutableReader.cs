namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>Sets probes in Go programs. Called on threads aside, since the kernel reads the file for it.</summary>
internal interface IGoProbes
{
    /// <summary>Whether <see cref="GoExecutable.WriteBody"/> is of use.</summary>
    bool WritesHeaders { get; }

    /// <summary>Sets the probes of an executable, if that was not done. What fails is told to whoever made this.</summary>
    /// <param name="proc">The reader that named the executable; nothing else was named by it since.</param>
    /// <param name="pid">A process that runs it.</param>
    /// <param name="file">A descriptor that names the executable.</param>
    /// <param name="executable">What its file tells.</param>
    void Prepare(ProcReader proc, int pid, int file, GoExecutable executable);
}

/// <summary>Reads the executables of Go programs, and has their probes set. For one thread aside.</summary>
internal sealed class GoExecutableReader
{
    private readonly ExecutableCache<GoExecutable> executables;
    private readonly Action<int, int, GoExecutable> prepare;

    internal GoExecutableReader(ProcReader proc, IFileGate? gate, IGoProbes? probes, int maximumCached = 256)
    {
        executables = new(
            proc, gate, maximumCached,
            (file, identity) => GoExecutable.Read(file, identity, proc.Budget, withWriteBody: probes?.WritesHeaders ?? false));
        // To set a probe the kernel reads the file.
        prepare = (pid, named, executable) => probes?.Prepare(proc, pid, named, executable);
    }

    /// <summary>What the executable of a process tells; null when it may not be read.</summary>
    internal GoExecutable? Read(int pid) => executables.Read(pid, prepare);
}

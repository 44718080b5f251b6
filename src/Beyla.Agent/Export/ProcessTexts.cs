using Beyla.Agent.Processes;

namespace Beyla.Agent.Export;

/// <summary>
/// Keeps what a format makes of a process, so that names are escaped once and not per span. A fixed number of entries; a process that
/// falls on the entry of another one replaces it. One thread.
/// </summary>
internal sealed class ProcessTexts(Func<ProcessInfo, byte[][]> render)
{
    private const int Entries = 256; // a power of two

    private readonly (ProcessInfo? Process, byte[][] Texts)[] entries = new (ProcessInfo?, byte[][])[Entries];

    /// <summary>The texts of this very object: a new program in the same process has a new one.</summary>
    internal byte[][] Of(ProcessInfo process)
    {
        ref var entry = ref entries[process.Pid & (Entries - 1)];
        if (!ReferenceEquals(entry.Process, process))
        {
            entry = (process, render(process));
        }

        return entry.Texts;
    }
}

namespace Beyla.Agent.Processes;

/// <summary>
/// Opens those files of /proc that take a capability, for a reader that has none. One thread. Results are those of the system call, or the
/// negative errno.
/// </summary>
public interface IProcDesk : IDisposable
{
    /// <summary>Which capabilities stand behind it.</summary>
    ProcPrivileges Held { get; }

    /// <summary>For how long it was waited for altogether, in ticks of Stopwatch.</summary>
    long Waited { get; }

    /// <summary>Asks for nothing; returns when that is answered. Any thread.</summary>
    void Ask();

    /// <summary>Where a link of a process leads; the bytes of the path.</summary>
    int ReadLink(int pid, ProcessLink link, Span<byte> target);

    /// <summary>maps, open for reading.</summary>
    int OpenMaps(int pid);

    /// <summary>A descriptor that only names the executable.</summary>
    int NameExecutable(int pid);

    /// <summary>The executable that was named last, open for reading.</summary>
    int OpenExecutable(int pid);

    /// <summary>As <see cref="ProcReader.LeadsTo"/>.</summary>
    bool LeadsTo(int pid, ReadOnlySpan<byte> name, ulong device, ulong inode);

    /// <summary>The variables that name a service; their bytes.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="target">Room for 32 KiB and two zeros.</param>
    /// <param name="isEnvironment">Whether it is an environment, and not what the process has written over it.</param>
    int Variables(int pid, Span<byte> target, out bool isEnvironment);

    /// <summary>The text of io; its bytes, at most 4,096.</summary>
    int ReadIo(int pid, Span<byte> target);

    /// <summary>How many entries fd has, at most <see cref="ProcReader.MaximumFiles"/>.</summary>
    int CountFiles(int pid);

    /// <summary>One for another thread.</summary>
    IProcDesk Another();
}

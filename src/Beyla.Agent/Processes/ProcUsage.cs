namespace Beyla.Agent.Processes;

/// <summary>
/// What a process has used of its host, all threads together, as /proc/PID/stat has it (proc_pid_stat(5)). No capability is needed for any
/// of it: bytes of disks and open files, which take one, are not here.
/// </summary>
public readonly record struct ProcUsage
{
    /// <summary>Times are in hundredths of a second (USER_HZ).</summary>
    public const int TicksPerSecond = 100;

    private const int Room = 1024; // 52 numbers of at most 20 digits, and a name of 64 bytes: more than the kernel ever writes in fact

    /// <summary>Clock ticks after boot: with the pid it names one process for good.</summary>
    public long StartTime { get; init; }

    /// <summary>Ticks in which the processor ran its own code.</summary>
    public long User { get; init; }

    /// <summary>Ticks in which the kernel worked for it.</summary>
    public long System { get; init; }

    /// <summary>Pages that were found without reading them from a disk.</summary>
    public long MinorFaults { get; init; }

    /// <summary>Pages that were read from a disk.</summary>
    public long MajorFaults { get; init; }

    /// <summary>Threads there are.</summary>
    public long Threads { get; init; }

    /// <summary>Bytes of its address space.</summary>
    public long Virtual { get; init; }

    /// <summary>Bytes that are in memory; the kernel counts them with a small delay.</summary>
    public long Resident { get; init; }

    /// <summary>Asks the kernel; does not wait and does not allocate.</summary>
    /// <returns>False when the process is gone, a zombie included, or may not be seen (proc mounted with hidepid).</returns>
    public static bool TryRead(int pid, out ProcUsage usage)
    {
        usage = default;
        Span<byte> path = stackalloc byte[32];
        var length = ProcCalls.NumberedPath("/proc/"u8, pid, path).Length;
        "/stat"u8.CopyTo(path[length..]);
        var file = ProcCalls.Open(path[..(length + "/stat"u8.Length)]);
        if (file < 0)
        {
            return false;
        }

        Span<byte> text = stackalloc byte[Room];
        length = ProcCalls.Read(file, text);
        ProcCalls.Close(file);
        return length > 0 && TryParse(text[..length], out usage);
    }

    /// <summary>Reads the text of the file.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out ProcUsage usage)
    {
        usage = default;
        Span<long> fields = stackalloc long[25];
        if (!ProcStatFields.TryRead(text, fields))
        {
            return false;
        }

        usage = new ProcUsage
        {
            MinorFaults = fields[10], MajorFaults = fields[12], User = fields[14], System = fields[15], Threads = fields[20],
            StartTime = fields[22], Virtual = fields[23], Resident = fields[24] * Environment.SystemPageSize,
        };
        return true;
    }
}

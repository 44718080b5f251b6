using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Processes;

/// <summary>The files of /proc/PID that the agent reads.</summary>
public enum ProcFile
{
    /// <summary>stat: parent, start time and more (proc_pid_stat(5)).</summary>
    Stat,

    /// <summary>status: user and namespace ids.</summary>
    Status,

    /// <summary>comm: the name of the task.</summary>
    Command,

    /// <summary>exe: a link to the executable.</summary>
    Executable,

    /// <summary>cmdline: the arguments, each zero terminated.</summary>
    CommandLine,

    /// <summary>environ: the environment at the start, each variable zero terminated.</summary>
    Environment,

    /// <summary>maps: what is mapped into its memory.</summary>
    Maps,

    /// <summary>mountinfo: the mounts that it sees.</summary>
    Mounts,

    /// <summary>cgroup: the control groups that it is in.</summary>
    ControlGroups,
}

/// <summary>
/// Reads /proc/PID. A process that is gone, or a file that may not be read, is an absent answer and never an exception; what was refused
/// is counted per file, each process once. Everything read is bounded. One thread, except for the refusals.
/// What is read here comes from the kernel alone and cannot wait: no memory and no file of a process. The rest is in ProcReader.Files.cs.
/// </summary>
/// <remarks>Pids are those of the mounted /proc: it has to be that of the initial pid namespace, as pids of events are.</remarks>
public sealed partial class ProcReader : IDisposable
{
    /// <summary>Longest path that Linux gives (PATH_MAX, linux/limits.h).</summary>
    public const int MaximumPath = 4096;

    private const string DeletedMark = " (deleted)";
    private const int MaximumStart = 16 * 1024;
    private const int PF_KTHREAD = 0x00200000; // linux/sched.h

    private readonly string root;
    private readonly IProcPrivilege privilege;
    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly byte[] path = new byte[MaximumPath];
    private readonly byte[] name;
    private readonly int nameStart;
    private readonly ProcRefusals refusals;
    private readonly IProcDesk? desk;
    private bool ownsDesk;

    /// <param name="root">Where proc is mounted.</param>
    /// <param name="privilege">Raises capabilities around the calls that need them; null to use what the process has.</param>
    /// <param name="refusals">Where refusals are counted, shared with other readers; null for an own place.</param>
    public ProcReader(string root = "/proc", IProcPrivilege? privilege = null, ProcRefusals? refusals = null)
        : this(root, privilege, refusals, null)
    {
    }

    /// <param name="desk">Opens what takes a capability; it has to be for the mounted /proc.</param>
    /// <param name="refusals">Where refusals are counted, shared with other readers; null for an own place.</param>
    public ProcReader(IProcDesk desk, ProcRefusals? refusals = null)
        : this("/proc", null, refusals, desk)
    {
    }

    private ProcReader(string root, IProcPrivilege? privilege, ProcRefusals? refusals, IProcDesk? desk)
    {
        (this.desk, Budget) = (desk, new InspectionBudget(desk));
        this.root = root;
        // Root, a number, a file: made in place for each call.
        nameStart = Encoding.UTF8.GetByteCount(root) + 1;
        name = new byte[nameStart + 32];
        _ = Encoding.UTF8.GetBytes(root + '/', name);
        this.privilege = privilege ?? UnchangedPrivilege.Instance;
        this.refusals = refusals ?? new ProcRefusals();
    }

    /// <summary>
    /// A reader for another thread, which counts refusals in the same place. Where a desk opens files, it has one of its own, which is
    /// given back when this is disposed.
    /// </summary>
    public ProcReader Another() =>
        desk is null ? new(root, privilege, refusals) : new(desk.Another(), refusals) { ownsDesk = true };

    /// <summary>What opens files that take a capability; null where this process does it itself.</summary>
    internal IProcDesk? Desk => desk;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (ownsDesk)
        {
            desk?.Dispose();
        }
    }

    /// <summary>How many processes did not let this file be read (EACCES or EPERM).</summary>
    public long Refusals(ProcFile file) => refusals.Of(file);

    /// <summary>
    /// What could not be read, for how many processes, the errno of the last one, and which capability would help; a sentence each.
    /// </summary>
    public IEnumerable<string> DescribeRefusals()
    {
        foreach (var file in Enum.GetValues<ProcFile>())
        {
            var count = Refusals(file);
            if (count > 0)
            {
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"{root}/PID/{Encoding.UTF8.GetString(FileName(file))} not readable for {count} processes: "
                    + $"{Errno.Name(refusals.LastErrno(file))}: {Reason(file)}; {Substitute(file)}");
            }
        }
    }

    /// <summary>
    /// Whether this process lives in the initial pid namespace, whose pids events carry. If not (a container without hostPID), /proc
    /// numbers the processes differently and no process can be told by an event.
    /// </summary>
    public bool IsInitialPidNamespace()
    {
        var length = ProcCalls.ReadLink(Encoding.UTF8.GetBytes($"{root}/self/ns/pid"), path);
        // PROC_PID_INIT_INO, include/linux/proc_ns.h.
        return length > 0 && path.AsSpan(0, length).SequenceEqual("pid:[4026531836]"u8);
    }

    /// <summary>The processes there are.</summary>
    /// <exception cref="IOException">The directory cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory cannot be listed.</exception>
    public IEnumerable<int> Pids()
    {
        foreach (var directory in Directory.EnumerateDirectories(root))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                yield return pid;
            }
        }
    }

    /// <summary>State, parent and start (proc_pid_stat(5)). False when the process is gone, a zombie included.</summary>
    public bool TryStat(int pid, out ProcStat stat)
    {
        stat = default;
        var length = ReadStart(pid, ProcFile.Stat, ProcPrivileges.None);
        Span<long> fields = stackalloc long[23];
        if (!ProcStatFields.TryRead(buffer.AsSpan(0, Math.Max(length, 0)), fields))
        {
            return false;
        }

        stat = new ProcStat((int)fields[4], (fields[9] & PF_KTHREAD) != 0, fields[22]);
        return true;
    }

    /// <summary>
    /// The link to the executable as the kernel writes it (fs/d_path.c): its path as the process sees it, with
    /// <c> (deleted)</c> where that name is gone, or where the name ends so. Null when there is none or it is refused.
    /// </summary>
    public string? ExecutableLink(int pid)
    {
        var length = ReadLink(pid, ProcessLink.Executable, path);
        if (length < 0)
        {
            Refuse(pid, ProcFile.Executable, length);
            return null;
        }

        return Encoding.UTF8.GetString(path.AsSpan(0, length));
    }

    /// <summary>Reads a link of a process; its bytes or the negative errno.</summary>
    internal int ReadLink(int pid, ProcessLink link, byte[] target)
    {
        if (desk is not null)
        {
            return desk.ReadLink(pid, link, target);
        }

        var file = link == ProcessLink.Executable ? PathOf(pid, ProcFile.Executable) : PathOf(pid, "ns/user"u8);
        return privilege.Run(ProcPrivileges.Ptrace, ProcCall.ReadLink(file, target));
    }

    /// <summary>The real user id of a process (proc_pid_status(5)), also of one that hides its owner; 0 when it is gone.</summary>
    public uint UserOf(int pid)
    {
        var length = ReadStart(pid, ProcFile.Status, ProcPrivileges.None);
        var text = buffer.AsSpan(0, Math.Max(length, 0));
        // A name that holds a line feed is escaped there.
        var at = text.IndexOf("\nUid:\t"u8);
        if (at < 0)
        {
            return 0;
        }

        text = text[(at + 6)..];
        return Utf8Parser.TryParse(text, out uint user, out _) ? user : 0;
    }

    /// <summary>Task name; at most 15 bytes, chosen by the process. Null when the process is gone.</summary>
    public string? Command(int pid)
    {
        var length = ReadStart(pid, ProcFile.Command, ProcPrivileges.None);
        return length < 0 ? null : Encoding.UTF8.GetString(buffer.AsSpan(0, length).TrimEnd((byte)'\n'));
    }

    /// <summary>The kernel appends this to the path of a file that has no name any more (fs/d_path.c).</summary>
    internal static ReadOnlySpan<byte> WithoutDeletedMark(ReadOnlySpan<byte> path)
    {
        var mark = " (deleted)"u8;
        return path.EndsWith(mark) && path.Length > mark.Length ? path[..^mark.Length] : path;
    }

    /// <inheritdoc cref="WithoutDeletedMark(ReadOnlySpan{byte})"/>
    internal static string WithoutDeletedMark(string path) => EndsLikeDeleted(path) ? path[..^DeletedMark.Length] : path;

    /// <summary>Whether a link may carry the mark, so that only a look at the file tells.</summary>
    internal static bool EndsLikeDeleted(string link) =>
        link.Length > DeletedMark.Length && link.EndsWith(DeletedMark, StringComparison.Ordinal);

    /// <summary>Fills the buffer from the start of the file; the number of bytes or the negative errno.</summary>
    private int ReadStart(int pid, ProcFile file, ProcPrivileges needed)
    {
        var descriptor = Open(pid, file, needed);
        if (descriptor < 0)
        {
            return descriptor;
        }

        var total = 0;
        int length;
        while ((length = ProcCalls.Read(descriptor, buffer.AsSpan(total, MaximumStart - total))) > 0)
        {
            total += length;
        }

        ProcCalls.Close(descriptor);
        return length < 0 ? length : total;
    }

    private int Open(int pid, ProcFile file, ProcPrivileges needed)
    {
        var place = PathOf(pid, file);
        var descriptor = needed == ProcPrivileges.None ? ProcCalls.Open(place)
            : desk is not null && file == ProcFile.Maps ? desk.OpenMaps(pid)
            : privilege.Run(needed, ProcCall.Open(place));
        if (descriptor < 0)
        {
            Refuse(pid, file, descriptor);
        }

        return descriptor;
    }

    private void Refuse(int pid, ProcFile file, int result)
    {
        if (result is -Errno.EACCES or -Errno.EPERM)
        {
            refusals.Add(pid, file, -result);
        }
    }

    private ReadOnlySpan<byte> PathOf(int pid, ProcFile file) => PathOf(pid, FileName(file));

    /// <summary>Valid until the next one.</summary>
    private ReadOnlySpan<byte> PathOf(int pid, ReadOnlySpan<byte> file)
    {
        var length = ProcCalls.NumberedPath(name.AsSpan(0, nameStart), pid, name).Length;
        name[length++] = (byte)'/';
        file.CopyTo(name.AsSpan(length));
        return name.AsSpan(0, length + file.Length);
    }

    private static ReadOnlySpan<byte> FileName(ProcFile file) => file switch
    {
        ProcFile.Stat => "stat"u8,
        ProcFile.Status => "status"u8,
        ProcFile.Command => "comm"u8,
        ProcFile.Executable => "exe"u8,
        ProcFile.CommandLine => "cmdline"u8,
        ProcFile.Environment => "environ"u8,
        ProcFile.Mounts => "mountinfo"u8,
        ProcFile.ControlGroups => "cgroup"u8,
        _ => "maps"u8,
    };

    /// <summary>Which capabilities stand behind it.</summary>
    internal ProcPrivileges Held => desk?.Held ?? privilege.Held;

    private string Reason(ProcFile file)
    {
        var (enough, text) = file switch
        {
            ProcFile.Executable => (Held.HasFlag(ProcPrivileges.Ptrace), "CAP_SYS_PTRACE"),
            ProcFile.Environment => (
                Held.HasFlag(ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch), "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"),
            ProcFile.Maps => (
                (Held & (ProcPrivileges.Ptrace | ProcPrivileges.PerformanceMonitoring)) != 0, "CAP_SYS_PTRACE or CAP_PERFMON"),
            _ => (false, ""),
        };
        return text.Length == 0 ? "proc may be mounted with hidepid"
            : enough ? $"{text} is held but not enough, as for a process in an outer user namespace"
            : text + " missing";
    }

    private static string Substitute(ProcFile file) => file switch
    {
        ProcFile.Executable => "the path is then taken from maps, execve or the arguments",
        ProcFile.Environment => "names in OTEL_SERVICE_NAME are not seen",
        ProcFile.Maps => "the language is then told by the executable alone",
        ProcFile.ControlGroups => "trace context is then not passed on where no other process of its group is traced",
        _ => "mount it with gid= of a group of the agent",
    };
}

/// <summary>What is used of /proc/PID/stat.</summary>
/// <param name="Parent">Pid of the parent.</param>
/// <param name="IsKernelThread">Runs no program.</param>
/// <param name="StartTime">Clock ticks after boot: with the pid it names one process for good.</param>
public readonly record struct ProcStat(int Parent, bool IsKernelThread, long StartTime);

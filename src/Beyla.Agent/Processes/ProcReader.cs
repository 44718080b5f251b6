using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Processes;

/// <summary>The files of /proc/PID that the agent reads.</summary>
public enum ProcFile
{
    Stat, Status, Command, Executable, CommandLine, Environment, Maps,
}

/// <summary>Takes one piece of a file: an environment variable, an argument, a line.</summary>
/// <returns>Whether more pieces are wanted.</returns>
internal delegate bool PieceVisitor<TState>(ReadOnlySpan<byte> piece, ref TState state);

/// <summary>
/// Reads /proc/PID. A process that is gone, or a file that may not be read, is an absent answer and never an exception; what was refused
/// is counted per file, each process once. Everything read is bounded. Not thread-safe, except <see cref="Refusals"/>.
/// </summary>
/// <remarks>Pids are those of the mounted /proc: it has to be that of the initial pid namespace, as pids of events are.</remarks>
public sealed class ProcReader
{
    /// <summary>Longest path that Linux gives (PATH_MAX, linux/limits.h).</summary>
    public const int MaximumPath = 4096;

    private const int MaximumCommandLine = 16 * 1024, MaximumEnvironment = 2 * 1024 * 1024, MaximumMaps = 4 * 1024 * 1024;
    private const int MaximumRefusalsRemembered = 16 * 1024;
    private const int PF_KTHREAD = 0x00200000; // linux/sched.h

    private readonly string root;
    private readonly IProcPrivilege privilege;
    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly byte[] path = new byte[MaximumPath];
    private readonly HashSet<(int Pid, ProcFile File)> refused = [];
    private readonly long[] refusals = new long[Enum.GetValues<ProcFile>().Length];
    private readonly int[] lastErrno = new int[Enum.GetValues<ProcFile>().Length];

    /// <param name="root">Where proc is mounted.</param>
    /// <param name="privilege">Raises capabilities around the calls that need them; null to use what the process has.</param>
    public ProcReader(string root = "/proc", IProcPrivilege? privilege = null)
    {
        this.root = root;
        this.privilege = privilege ?? UnchangedPrivilege.Instance;
    }

    /// <summary>How many processes did not let this file be read (EACCES or EPERM).</summary>
    public long Refusals(ProcFile file) => Volatile.Read(ref refusals[(int)file]);

    /// <summary>What could not be read, for how many processes, the errno of the last one, and which capability would help; a sentence each.</summary>
    public IEnumerable<string> DescribeRefusals()
    {
        foreach (var file in Enum.GetValues<ProcFile>())
        {
            var count = Refusals(file);
            if (count > 0)
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"{root}/PID/{FileName(file)} not readable for {count} processes: {Errno.Name(Volatile.Read(ref lastErrno[(int)file]))}: {Reason(file)}; {Substitute(file)}");
        }
    }

    /// <summary>
    /// Whether this process lives in the initial pid namespace, whose pids events carry. If not (a container without hostPID), /proc
    /// numbers the processes differently and no process can be told by an event.
    /// </summary>
    public bool IsInitialPidNamespace()
    {
        var length = ProcCalls.ReadLink($"{root}/self/ns/pid", path);
        // PROC_PID_INIT_INO, include/linux/proc_ns.h.
        return length > 0 && path.AsSpan(0, length).SequenceEqual("pid:[4026531836]"u8);
    }

    /// <summary>The processes there are.</summary>
    /// <exception cref="IOException">The directory cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory cannot be listed.</exception>
    public IEnumerable<int> Pids()
    {
        foreach (var directory in Directory.EnumerateDirectories(root))
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                yield return pid;
    }

    /// <summary>State, parent and start (proc_pid_stat(5)). False when the process is gone, a zombie included.</summary>
    public bool TryStat(int pid, out ProcStat stat)
    {
        stat = default;
        var length = ReadStart(pid, ProcFile.Stat, ProcPrivileges.None);
        // The name in parentheses may hold anything, so what follows is counted from the last closing one.
        var text = buffer.AsSpan(0, Math.Max(length, 0));
        var end = text.LastIndexOf((byte)')');
        if (end < 0 || end + 2 >= text.Length)
            return false;
        text = text[(end + 2)..];
        if (text[0] is (byte)'Z' or (byte)'X' or (byte)'x')
            return false;
        if (!TryField(text, 1, out var parent) || !TryField(text, 6, out var flags) || !TryField(text, 19, out var start))
            return false;
        stat = new ProcStat((int)parent, (flags & PF_KTHREAD) != 0, start);
        return true;
    }

    /// <summary>Path of the executable as the process sees it, without the mark of a deleted one; null when there is none or it is refused.</summary>
    public string? Executable(int pid)
    {
        var link = PathOf(pid, ProcFile.Executable);
        var length = privilege.Run(ProcPrivileges.Ptrace, () => ProcCalls.ReadLink(link, path));
        if (length < 0)
        {
            Refuse(pid, ProcFile.Executable, length);
            return null;
        }

        return Encoding.UTF8.GetString(WithoutDeletedMark(path.AsSpan(0, length)));
    }

    /// <summary>Opens the executable itself, also one that is deleted or in another mount namespace.</summary>
    /// <returns>A file descriptor that the caller closes, or the negative errno.</returns>
    internal int OpenExecutable(int pid)
    {
        var link = PathOf(pid, ProcFile.Executable);
        var file = privilege.Run(ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch, () => ProcCalls.Open(link));
        if (file < 0)
            Refuse(pid, ProcFile.Executable, file);
        return file;
    }

    /// <summary>The real user id of a process (proc_pid_status(5)), also of one that hides its owner; 0 when it is gone.</summary>
    public uint UserOf(int pid)
    {
        var length = ReadStart(pid, ProcFile.Status, ProcPrivileges.None);
        var text = buffer.AsSpan(0, Math.Max(length, 0));
        // A name that holds a line feed is escaped there.
        var at = text.IndexOf("\nUid:\t"u8);
        if (at < 0)
            return 0;
        text = text[(at + 6)..];
        return Utf8Parser.TryParse(text, out uint user, out _) ? user : 0;
    }

    /// <summary>Task name; at most 15 bytes, chosen by the process. Null when the process is gone.</summary>
    public string? Command(int pid)
    {
        var length = ReadStart(pid, ProcFile.Command, ProcPrivileges.None);
        return length < 0 ? null : Encoding.UTF8.GetString(buffer.AsSpan(0, length).TrimEnd((byte)'\n'));
    }

    /// <summary>The program name (argument 0) and the other arguments joined by spaces, at most 16 KiB of both; null when gone or empty.</summary>
    public (string Program, string Arguments)? CommandLine(int pid)
    {
        var length = ReadStart(pid, ProcFile.CommandLine, ProcPrivileges.None);
        if (length <= 0)
            return null;
        var text = buffer.AsSpan(0, Math.Min(length, MaximumCommandLine));
        if (text[^1] == 0)
            text = text[..^1];
        var end = text.IndexOf((byte)0);
        var program = Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
        if (end < 0)
            return (program, "");
        var arguments = text[(end + 1)..];
        arguments.Replace((byte)0, (byte)' ');
        return (program, Encoding.UTF8.GetString(arguments));
    }

    /// <summary>Shows each environment variable that the process was started with, as <c>NAME=value</c>. False when they cannot be read.</summary>
    internal bool VisitEnvironment<TState>(int pid, PieceVisitor<TState> visitor, ref TState state) =>
        VisitPieces(pid, ProcFile.Environment, ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch | ProcPrivileges.PerformanceMonitoring, 0, MaximumEnvironment, visitor, ref state);

    /// <summary>Shows each line of maps (proc_pid_maps(5)). False when they cannot be read.</summary>
    internal bool VisitMaps<TState>(int pid, PieceVisitor<TState> visitor, ref TState state) =>
        VisitPieces(pid, ProcFile.Maps, ProcPrivileges.Ptrace | ProcPrivileges.PerformanceMonitoring, (byte)'\n', MaximumMaps, visitor, ref state);

    /// <summary>The kernel appends this to the path of a file that has no name any more (fs/d_path.c).</summary>
    internal static ReadOnlySpan<byte> WithoutDeletedMark(ReadOnlySpan<byte> path)
    {
        var mark = " (deleted)"u8;
        return path.EndsWith(mark) && path.Length > mark.Length ? path[..^mark.Length] : path;
    }

    private bool VisitPieces<TState>(
        int pid, ProcFile file, ProcPrivileges needed, byte separator, int limit, PieceVisitor<TState> visitor, ref TState state)
    {
        var descriptor = Open(pid, file, needed);
        if (descriptor < 0)
            return false;
        try
        {
            var (held, total, skipping, any) = (0, 0, false, false);
            while (total < limit)
            {
                var length = ProcCalls.Read(descriptor, buffer.AsSpan(held));
                if (length < 0)
                    Refuse(pid, file, length);
                if (length <= 0)
                    break;
                any = true;
                total += length;
                var rest = (ReadOnlySpan<byte>)buffer.AsSpan(0, held + length);
                for (int end; (end = rest.IndexOf(separator)) >= 0; rest = rest[(end + 1)..], skipping = false)
                    if (!skipping && end > 0 && !visitor(rest[..end], ref state))
                        return true;
                // A piece that is longer than the buffer is left out as a whole.
                skipping |= rest.Length == buffer.Length;
                held = skipping ? 0 : rest.Length;
                rest[..held].CopyTo(buffer);
            }

            if (held > 0 && !skipping && total < limit)
                visitor(buffer.AsSpan(0, held), ref state);
            return any;
        }
        finally
        {
            ProcCalls.Close(descriptor);
        }
    }

    /// <summary>Fills the buffer from the start of the file; the number of bytes or the negative errno.</summary>
    private int ReadStart(int pid, ProcFile file, ProcPrivileges needed)
    {
        var descriptor = Open(pid, file, needed);
        if (descriptor < 0)
            return descriptor;
        var total = 0;
        int length;
        while ((length = ProcCalls.Read(descriptor, buffer.AsSpan(total, MaximumCommandLine - total))) > 0)
            total += length;
        ProcCalls.Close(descriptor);
        return length < 0 ? length : total;
    }

    private int Open(int pid, ProcFile file, ProcPrivileges needed)
    {
        var name = PathOf(pid, file);
        var descriptor = needed == ProcPrivileges.None ? ProcCalls.Open(name) : privilege.Run(needed, () => ProcCalls.Open(name));
        if (descriptor < 0)
            Refuse(pid, file, descriptor);
        return descriptor;
    }

    private void Refuse(int pid, ProcFile file, int result)
    {
        if (result is not (-Errno.EACCES or -Errno.EPERM))
            return;
        if (refused.Count >= MaximumRefusalsRemembered)
            refused.Clear();
        Volatile.Write(ref lastErrno[(int)file], -result);
        if (refused.Add((pid, file)))
            Interlocked.Increment(ref refusals[(int)file]);
    }

    private string PathOf(int pid, ProcFile file) => string.Create(CultureInfo.InvariantCulture, $"{root}/{pid}/{FileName(file)}");

    private static string FileName(ProcFile file) => file switch
    {
        ProcFile.Stat => "stat",
        ProcFile.Status => "status",
        ProcFile.Command => "comm",
        ProcFile.Executable => "exe",
        ProcFile.CommandLine => "cmdline",
        ProcFile.Environment => "environ",
        _ => "maps",
    };

    private string Reason(ProcFile file)
    {
        var (enough, text) = file switch
        {
            ProcFile.Executable => (privilege.Held.HasFlag(ProcPrivileges.Ptrace), "CAP_SYS_PTRACE"),
            ProcFile.Environment => (privilege.Held.HasFlag(ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch), "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"),
            ProcFile.Maps => ((privilege.Held & (ProcPrivileges.Ptrace | ProcPrivileges.PerformanceMonitoring)) != 0, "CAP_SYS_PTRACE or CAP_PERFMON"),
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
        _ => "mount it with gid= of a group of the agent",
    };

    private static bool TryField(ReadOnlySpan<byte> text, int index, out long value)
    {
        value = 0;
        for (; index > 0; index--)
        {
            var space = text.IndexOf((byte)' ');
            if (space < 0)
                return false;
            text = text[(space + 1)..];
        }

        var end = text.IndexOfAny((byte)' ', (byte)'\n');
        return long.TryParse(end < 0 ? text : text[..end], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }
}

/// <summary>What is used of /proc/PID/stat.</summary>
/// <param name="Parent">Pid of the parent.</param>
/// <param name="IsKernelThread">Runs no program.</param>
/// <param name="StartTime">Clock ticks after boot: with the pid it names one process for good.</param>
public readonly record struct ProcStat(int Parent, bool IsKernelThread, long StartTime);

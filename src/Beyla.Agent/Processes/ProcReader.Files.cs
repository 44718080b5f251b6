using System.Text;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Processes;

/// <summary>Takes one piece of a file: an environment variable, an argument, a line.</summary>
/// <returns>Whether more pieces are wanted.</returns>
internal delegate bool PieceVisitor<TState>(ReadOnlySpan<byte> piece, ref TState state);

/// <summary>
/// What can wait for somebody else: the memory of a process and its mappings (its mmap lock may be held, a page may have to come from a
/// file system), and the file that it runs. Each of these is refused to a thread that is not an <see cref="AsideThread"/>.
/// </summary>
public sealed partial class ProcReader
{
    private const int MaximumCommandLine = MaximumStart, MaximumEnvironment = 2 * 1024 * 1024;
    private const int MaximumMaps = 4 * 1024 * 1024, MaximumMounts = 1024 * 1024;

    /// <summary>What may still be read of the process that is looked at.</summary>
    internal InspectionBudget Budget { get; }

    /// <summary>
    /// The control group of the second version; null when the process is in none that is seen here, or is gone. The kernel waits for a lock
    /// that is held while groups are made and changed.
    /// </summary>
    internal string? ControlGroup(int pid)
    {
        AsideThread.Demand();
        var length = ReadStart(pid, ProcFile.ControlGroups, ProcPrivileges.None);
        return length <= 0 ? null : Linux.ControlGroups.FindGroup(Encoding.UTF8.GetString(buffer.AsSpan(0, length)));
    }

    /// <summary>
    /// The program name (argument 0) and the other arguments joined by spaces, at most 16 KiB of both; null when gone or empty.
    /// </summary>
    internal (string Program, string Arguments)? CommandLine(int pid)
    {
        AsideThread.Demand();
        var length = ReadStart(pid, ProcFile.CommandLine, ProcPrivileges.None);
        if (length <= 0 || !Budget.TrySpend(length))
        {
            return null;
        }

        var text = buffer.AsSpan(0, Math.Min(length, MaximumCommandLine));
        if (text[^1] == 0)
        {
            text = text[..^1];
        }

        var end = text.IndexOf((byte)0);
        var program = Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
        if (end < 0)
        {
            return (program, "");
        }

        var arguments = text[(end + 1)..];
        arguments.Replace((byte)0, (byte)' ');
        return (program, Encoding.UTF8.GetString(arguments));
    }

    /// <summary>
    /// Shows each environment variable that the process was started with, as <c>NAME=value</c>. False when they cannot be read.
    /// </summary>
    internal bool VisitEnvironment<TState>(int pid, PieceVisitor<TState> visitor, ref TState state) =>
        VisitEnvironment(pid, OpenEnvironment(pid), visitor, ref state);

    /// <inheritdoc cref="VisitEnvironment{TState}(int, PieceVisitor{TState}, ref TState)"/>
    internal bool VisitEnvironment<TState>(int pid, int file, PieceVisitor<TState> visitor, ref TState state)
    {
        AsideThread.Demand();
        return VisitPieces(pid, ProcFile.Environment, file, 0, MaximumEnvironment, visitor, ref state);
    }

    /// <summary>Opens environ; the kernel asks for the right to read it then, and not later.</summary>
    /// <returns>A file descriptor that the caller closes, or the negative errno.</returns>
    internal int OpenEnvironment(int pid)
    {
        AsideThread.Demand();
        return Open(
            pid, ProcFile.Environment,
            ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch | ProcPrivileges.PerformanceMonitoring);
    }

    /// <summary>The variables that name a service, from a desk; null when they cannot be read.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="isEnvironment">Whether it is an environment, and not what the process has written over it.</param>
    internal byte[]? Variables(int pid, out bool isEnvironment)
    {
        AsideThread.Demand();
        var length = desk!.Variables(pid, buffer, out isEnvironment);
        if (length < 0)
        {
            Refuse(pid, ProcFile.Environment, length);
            return null;
        }

        return Budget.TrySpend(length) ? buffer.AsSpan(0, length).ToArray() : null;
    }

    /// <summary>Shows each line of maps (proc_pid_maps(5)). False when they cannot be read.</summary>
    internal bool VisitMaps<TState>(int pid, PieceVisitor<TState> visitor, ref TState state)
    {
        AsideThread.Demand();
        return VisitPieces(pid, ProcFile.Maps, OpenMaps(pid), (byte)'\n', MaximumMaps, visitor, ref state);
    }

    /// <summary>Opens maps; the kernel asks for the right to read them then, and not later.</summary>
    /// <returns>A file descriptor that the caller closes, or the negative errno.</returns>
    internal int OpenMaps(int pid) => Open(pid, ProcFile.Maps, ProcPrivileges.Ptrace | ProcPrivileges.PerformanceMonitoring);

    /// <summary>
    /// Shows each line of mountinfo (proc_pid_mountinfo(5)): the mounts that the process sees. False when they cannot be read.
    /// </summary>
    /// <param name="pid">The process; 0 for this one.</param>
    /// <param name="visitor">Takes a line.</param>
    /// <param name="state">For the visitor.</param>
    internal bool VisitMounts<TState>(int pid, PieceVisitor<TState> visitor, ref TState state)
    {
        AsideThread.Demand();
        var file = pid == 0 ? ProcCalls.Open("/proc/self/mountinfo"u8) : Open(pid, ProcFile.Mounts, ProcPrivileges.None);
        return VisitPieces(pid, ProcFile.Mounts, file, (byte)'\n', MaximumMounts, visitor, ref state);
    }

    /// <summary>
    /// A descriptor that names the executable itself, also one that is deleted or in another mount namespace; nothing is opened by it.
    /// </summary>
    /// <returns>A file descriptor that the caller closes, or the negative errno.</returns>
    internal int NameExecutable(int pid)
    {
        AsideThread.Demand();
        var file = desk?.NameExecutable(pid)
            ?? privilege.Run(ProcPrivileges.Ptrace, ProcCall.OpenName(PathOf(pid, ProcFile.Executable)));
        if (file < 0)
        {
            Refuse(pid, ProcFile.Executable, file);
        }

        return file;
    }

    /// <summary>Opens the content of a named executable. This is where a file system can make a thread wait.</summary>
    /// <returns>A file descriptor that the caller closes, or the negative errno.</returns>
    internal int OpenExecutable(int pid, int named)
    {
        AsideThread.Demand();
        // A desk opens what it named last: it takes no descriptor from the one who asks.
        var file = desk?.OpenExecutable(pid)
            ?? privilege.Run(
                ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch,
                ProcCall.Open(ProcCalls.NumberedPath("/proc/self/fd/"u8, named, stackalloc byte[32])));
        if (file < 0)
        {
            Refuse(pid, ProcFile.Executable, file);
        }

        return file;
    }

    /// <summary>
    /// Whether the process lives in the user namespace of the agent. One whose namespace may not be asked for does not count as such.
    /// </summary>
    internal bool IsInOwnUserNamespace(int pid)
    {
        Span<byte> first = stackalloc byte[64];
        var length = ProcCalls.ReadLink("/proc/self/ns/user"u8, first);
        var other = ReadLink(pid, ProcessLink.UserNamespace, path);
        return length > 0 && other == length && first[..length].SequenceEqual(path.AsSpan(0, other));
    }

    /// <summary>
    /// The path of the executable, from its link. The kernel marks a name that is gone by <c> (deleted)</c>, and a file may be called
    /// so: the number of its names tells, and where it has another one (a hard link, a lower layer) whether the marked name leads to it.
    /// </summary>
    internal string TrueExecutable(int pid, string link)
    {
        AsideThread.Demand();
        if (!EndsLikeDeleted(link))
        {
            return link;
        }

        var stripped = link[..^DeletedMark.Length];
        var named = NameExecutable(pid);
        if (named < 0)
        {
            return stripped;
        }

        try
        {
            return ProcCalls.TryIdentify(named, out var file) && file.Links > 0
                && LeadsTo(pid, Encoding.UTF8.GetBytes(link), file.Identity.Device, file.Identity.Inode) ? link : stripped;
        }
        finally
        {
            ProcCalls.Close(named);
        }
    }

    /// <summary>
    /// Whether a path in the root of a process leads to this file; only names that the kernel has in its cache are followed.
    /// </summary>
    internal bool LeadsTo(int pid, ReadOnlySpan<byte> file, ulong device, ulong inode)
    {
        if (desk is not null)
        {
            return desk.LeadsTo(pid, file, device, inode);
        }

        var top = privilege.Run(ProcPrivileges.Ptrace, ProcCall.OpenName(PathOf(pid, "root"u8)));
        if (top < 0)
        {
            return false;
        }
        // The name of a program that runs is in the cache; one that is gone is not, or leads nowhere.
        var found = ProcCalls.OpenCachedName(top, file);
        ProcCalls.Close(top);
        if (found < 0)
        {
            return false;
        }

        var same = ProcCalls.TryIdentify(found, out var status)
            && (status.Identity.Device, status.Identity.Inode) == (device, inode);
        ProcCalls.Close(found);
        return same;
    }

    private bool VisitPieces<TState>(
        int pid, ProcFile file, int descriptor, byte separator, int limit, PieceVisitor<TState> visitor, ref TState state)
    {
        if (descriptor < 0)
        {
            return false;
        }

        try
        {
            var (held, total, skipping, any) = (0, 0, false, false);
            while (total < limit)
            {
                var length = ProcCalls.Read(descriptor, buffer.AsSpan(held));
                if (length < 0)
                {
                    Refuse(pid, file, length);
                }

                if (length <= 0 || !Budget.TrySpend(length))
                {
                    break;
                }

                any = true;
                total += length;
                var rest = (ReadOnlySpan<byte>)buffer.AsSpan(0, held + length);
                for (int end; (end = rest.IndexOf(separator)) >= 0; rest = rest[(end + 1)..], skipping = false)
                {
                    if (!skipping && end > 0 && !visitor(rest[..end], ref state))
                    {
                        return true;
                    }
                }
                // A piece that is longer than the buffer is left out as a whole.
                skipping |= rest.Length == buffer.Length;
                held = skipping ? 0 : rest.Length;
                rest[..held].CopyTo(buffer);
            }

            if (held > 0 && !skipping && total < limit)
            {
                visitor(buffer.AsSpan(0, held), ref state);
            }

            return any;
        }
        finally
        {
            ProcCalls.Close(descriptor);
        }
    }
}

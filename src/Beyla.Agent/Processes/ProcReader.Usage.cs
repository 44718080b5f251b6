using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Processes;

/// <summary>
/// What a process moves and holds. io can wait: the kernel takes the lock that execve(2) holds while it closes files, and closing one may
/// be up to a file system of somebody's own (do_io_accounting, fs/proc/base.c; begin_new_exec, fs/exec.c). So neither is for a thread that
/// others wait for.
/// </summary>
public sealed partial class ProcReader
{
    /// <summary>Bytes of io that are taken: seven numbers with their names need less than 300.</summary>
    internal const int MaximumIo = 4096;

    /// <summary>More entries of fd are not counted: the kernel makes an inode for each one that is listed.</summary>
    internal const int MaximumFiles = 65536;

    /// <summary>Reads io (proc_pid_io(5)), the bytes that a process has moved; its own bytes or the negative errno.</summary>
    internal int ReadIo(int pid, Span<byte> target)
    {
        AsideThread.Demand();
        if (desk is not null)
        {
            return desk.ReadIo(pid, target);
        }

        var file = privilege.Run(ProcPrivileges.ReadSearch, ProcCall.Open(PathOf(pid, "io"u8)));
        if (file < 0)
        {
            return file;
        }

        // Whoever may open it may not yet read it: that asks as ptrace does, each time.
        var length = privilege.Run(ProcPrivileges.Ptrace, ProcCall.Read(file, target[..Math.Min(target.Length, MaximumIo)]));
        ProcCalls.Close(file);
        return length;
    }

    /// <summary>
    /// Counts the entries of fd (proc_pid_fd(5)), the descriptors of a process; a negative errno where it may not, E2BIG beyond
    /// <see cref="MaximumFiles"/>. The kernel says the number itself since Linux 6.2, and to everybody.
    /// </summary>
    internal int CountFiles(int pid)
    {
        AsideThread.Demand();
        // This process has some; a kernel that does not count says 0 of all.
        if (ProcCalls.SizeOf("/proc/self/fd"u8) > 0)
        {
            return (int)ProcCalls.SizeOf(PathOf(pid, "fd"u8));
        }

        return desk is not null ? desk.CountFiles(pid) : ListFiles(pid);
    }

    /// <summary>As <see cref="CountFiles"/>, of a kernel that has to list them: that takes a right.</summary>
    internal int ListFiles(int pid)
    {
        var directory = privilege.Run(ProcPrivileges.ReadSearch, ProcCall.Open(PathOf(pid, "fd"u8)));
        if (directory < 0)
        {
            return directory;
        }

        var count = ProcCalls.CountEntries(directory, MaximumFiles, buffer);
        ProcCalls.Close(directory);
        return count;
    }
}

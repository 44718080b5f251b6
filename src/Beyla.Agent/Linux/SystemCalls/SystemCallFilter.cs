using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux.SystemCalls;

/// <summary>
/// Closes a process in: from then on the kernel refuses, or answers by ending the process, what its work does not need (seccomp(2)). No way
/// leads back, for no thread.
/// </summary>
public static unsafe partial class SystemCallFilter
{
    private const nint SYS_seccomp = 317, SetModeFilter = 1, AllThreads = 1; // SECCOMP_FILTER_FLAG_TSYNC
    private const int PR_SET_NO_NEW_PRIVS = 38;

    /// <summary>
    /// Installs the filter in all threads of this process, and so in those that they start. Sets no_new_privs, which it needs.
    /// </summary>
    /// <param name="needs">What this process does besides reading and printing.</param>
    /// <param name="life">The descriptor whose end kills this process; it cannot be closed any more.</param>
    /// <exception cref="KernelException">
    /// The kernel takes no filter: EINVAL where it has none (CONFIG_SECCOMP_FILTER), EBUSY where a thread has a filter of its own.
    /// </exception>
    /// <exception cref="PlatformNotSupportedException">The numbers of the table are those of x86-64.</exception>
    public static void Install(WorkerNeeds needs, int life)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new PlatformNotSupportedException("The filter of system calls is made for x86-64.");
        }

        var instructions = FilterProgram.Make(SystemCallTable.Make(needs, Environment.ProcessId, life));
        fixed (FilterInstruction* first = instructions)
        {
            var program = new Program { Length = checked((ushort)instructions.Length), First = first };
            if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
            {
                throw new KernelException("set no_new_privs", Marshal.GetLastPInvokeError());
            }

            var result = syscall(SYS_seccomp, SetModeFilter, AllThreads, &program);
            if (result != 0)
            {
                // With this flag a thread that cannot follow is the result: its id.
                throw new KernelException("filter system calls", result > 0 ? Errno.EBUSY : Marshal.GetLastPInvokeError());
            }
        }
    }

    // struct sock_fprog, include/uapi/linux/filter.h
    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        public ushort Length;
        public FilterInstruction* First;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nint first, nint second, nint third, nint fourth);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint operation, nint flags, Program* program);
}

using System.Runtime.InteropServices;

namespace Beyla.Cli;

/// <summary>What this process is (native/split.h).</summary>
internal enum Role
{
    /// <summary>The only process: the command runs no agent.</summary>
    Whole = 0,

    /// <summary>What was started: holds the capabilities.</summary>
    Keeper = 1,

    /// <summary>Its child: reads and decodes.</summary>
    Worker = 2,
}

/// <summary>The two processes that native/split.c made of one before the runtime started.</summary>
internal static unsafe partial class Halves
{
    /// <summary>Which one this is.</summary>
    public static Role Own => (Role)beyla_role();

    /// <summary>The socket to the other one; -1 where there is none.</summary>
    public static int Channel => beyla_channel();

    /// <summary>The end to read of the pipe whose other end only the keeper has; its end kills the worker (native/worker.c).</summary>
    public static int Life => beyla_channel() + 1;

    /// <summary>
    /// The version of Landlock by which this process may reach no more than a few files (landlock(7)); 0 where the kernel has none.
    /// </summary>
    public static int LandlockVersion => beyla_landlock_abi();

    /// <summary>Waits for the end of the worker.</summary>
    /// <returns>Its exit code, or the number of the signal that ended it.</returns>
    public static (int? ExitCode, int Signal) WaitForWorker()
    {
        int status;
        while (waitpid(beyla_other(), &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Agent.Linux.Errno.EINTR)
            {
                return (null, 0);
            }
        }

        // wait(2): the low seven bits are the signal.
        return (status & 0x7f) == 0 ? ((status >> 8) & 0xff, 0) : (null, status & 0x7f);
    }

    /// <summary>
    /// Gives back the memory that only the start took: code and constants that are not needed again, and what libbpf has freed.
    /// </summary>
    public static void ReleaseMemory() => beyla_release_memory();

    [LibraryImport("beyla")]
    private static partial void beyla_release_memory();

    [LibraryImport("beyla")]
    private static partial int beyla_landlock_abi();

    [LibraryImport("beyla")]
    private static partial int beyla_role();

    [LibraryImport("beyla")]
    private static partial int beyla_channel();

    [LibraryImport("beyla")]
    private static partial int beyla_other();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int process, int* status, int options);
}

using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>How the kernel shares the processors out (sched(7)).</summary>
public static unsafe partial class Scheduling
{
    private const int Batch = 3; // SCHED_BATCH, include/uapi/linux/sched.h

    /// <summary>
    /// The calling thread, and those that it starts, need much at a time and nothing at once: woken, they do not take the processor from
    /// whoever runs. Needs no capability.
    /// </summary>
    /// <returns>False where the kernel forbids it, as a filter of system calls may: then nothing changes.</returns>
    public static bool TryYieldToOthers()
    {
        var priority = 0;
        return sched_setscheduler(0, Batch, &priority) == 0;
    }

    [LibraryImport("libc")]
    private static partial int sched_setscheduler(int pid, int policy, int* parameters);
}

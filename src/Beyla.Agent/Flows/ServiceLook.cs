using System.Runtime.InteropServices;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Flows;

/// <summary>
/// Looks at one process for the name of its service (docs/processes.md, Identity), without the rules, which are about traced ones.
/// </summary>
internal static unsafe partial class ServiceLook
{
    private const long TicksPerSecond = 100; // USER_HZ, the same on every platform of Linux that .NET runs on

    /// <summary>Time in which new files are begun.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>Takes one look. For an <see cref="AsideThread"/>.</summary>
    /// <param name="proc">Reads /proc.</param>
    /// <param name="pid">The process.</param>
    /// <returns>Nothing when the process is gone, runs no program, or its pid is another's when the look ends.</returns>
    internal static ServiceAnswer Look(ProcReader proc, int pid)
    {
        if (!proc.TryStat(pid, out var stat) || stat.IsKernelThread)
        {
            return default;
        }

        proc.Budget.Begin(Limit);
        var name = ServiceNames.Read(proc, pid).Name
            ?? FileName(proc.ExecutableLink(pid) is { } link ? proc.TrueExecutable(pid, link) : null);
        // Where neither may be read, the first argument tells when it is a path; else it says what the process likes to be called.
        if (name is null && proc.CommandLine(pid) is { } line && line.Program.StartsWith('/'))
        {
            name = FileName(line.Program);
        }

        return proc.TryStat(pid, out var after) && after.StartTime == stat.StartTime ? new ServiceAnswer(name, Started(stat)) : default;
    }

    private static string? FileName(string? path) =>
        string.IsNullOrEmpty(path) || ServiceNames.FileName(path) is not { Length: > 0 } name ? null : name;

    /// <summary>
    /// proc_pid_stat(5) counts from the boot, suspension included; packets carry CLOCK_MONOTONIC, which stands still meanwhile.
    /// </summary>
    private static long Started(ProcStat stat)
    {
        const int boottime = 7; // CLOCK_BOOTTIME
        var now = stackalloc long[2];
        var age = clock_gettime(boottime, now) == 0
            ? (now[0] * 1_000_000_000) + now[1] - (stat.StartTime * (1_000_000_000 / TicksPerSecond))
            : long.MaxValue / 2;
        return (long)MonotonicClock.Now - age;
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);
}

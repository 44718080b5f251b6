using System.Runtime.InteropServices;

namespace Beyla.Cli;

/// <summary>
/// Undoes what a caller left behind in the signals of this process (signal(7): what is ignored and what is blocked survives execve). A
/// shell that starts a program in the background of a script has it ignore SIGINT, and the runtime takes over no signal that is ignored,
/// so an explicit <c>kill -INT</c> would never stop the agent.
/// </summary>
internal static unsafe partial class InheritedSignals
{
    // Numbers of Linux on x86-64 and arm64, asm-generic/signal.h.
    private const int SIGHUP = 1, SIGINT = 2, SIGUSR1 = 10, SIGTERM = 15, SIGXCPU = 24, SIGXFSZ = 25;
    private const nint Default = 0, Ignored = 1;
    private const int Unblock = 1; // SIG_UNBLOCK

    /// <summary>To be called before any thread is started and any handler is set: a new thread blocks what its creator blocks.</summary>
    public static void Reset()
    {
        // Not SIGHUP: nohup(1) is the wish to outlive the terminal.
        foreach (var number in (ReadOnlySpan<int>)[SIGINT, SIGUSR1, SIGTERM, SIGXCPU])
        {
            var before = signal(number, Default);
            if (before is not (Default or Ignored))
            {
                _ = signal(number, before);
            }
        }

        // Beyond RLIMIT_FSIZE a write then fails with EFBIG, and the agent ends with its reason and its counters.
        _ = signal(SIGXFSZ, Ignored);

        // sigset_t of the C library has 1024 bits.
        var set = stackalloc ulong[16];
        new Span<ulong>(set, 16).Clear();
        foreach (var number in (ReadOnlySpan<int>)[SIGHUP, SIGINT, SIGUSR1, SIGTERM, SIGXCPU])
        {
            set[0] |= 1UL << (number - 1);
        }

        _ = pthread_sigmask(Unblock, set, null);
    }

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, ulong* set, ulong* before);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Capabilities;

/// <summary>
/// How this process holds its capabilities: none effective, raised on one thread for one call and lowered again. Capabilities belong to
/// threads and a new thread has those of its creator, so <see cref="Initialize"/> comes first in Main, before anything starts a thread.
/// </summary>
public static class Privilege
{
    // What SYS_ADMIN stands in for in the kernel: bpf_capable(), perfmon_capable(), checkpoint_restore_ns_capable()
    // (include/linux/capability.h).
    private static readonly CapabilitySet SubstitutedBySysAdmin =
        CapabilitySet.Of(Capability.Bpf, Capability.Perfmon, Capability.CheckpointRestore);

    private static CapabilitySet permitted;
    private static volatile bool initialized;
    private static volatile int finalizerLowered;

    [ThreadStatic]
    private static ulong raised;

    /// <summary>
    /// The sets of the process as it was started, before <see cref="Initialize"/> lowered them; those of now where it was not called.
    /// </summary>
    public static ProcessCapabilities AtStart { get; private set; } = ProcessCapabilities.Current();

    /// <summary>
    /// Whether no_new_privs was set before <see cref="Initialize"/> set it: an exec then ignored the file's capabilities.
    /// </summary>
    public static bool NoNewPrivilegesAtStart { get; private set; } =
        CapabilityCalls.prctl(CapabilityCalls.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;

    /// <summary>What this process can still raise.</summary>
    public static CapabilitySet Permitted => initialized ? permitted : ProcessCapabilities.Current().Permitted;

    /// <summary>
    /// The first phase: on every thread no effective, inheritable, ambient or bounding capabilities are left, permitted is cut to
    /// <paramref name="keep"/>, no_new_privs is set, the process is not dumpable, and the native environment is empty (the managed
    /// one stays). Does nothing that needs a capability except emptying the bounding set (CAP_SETPCAP), which is left as it is without it.
    /// </summary>
    /// <param name="keep">All that any configuration can need; see <see cref="Retain"/> for the second phase.</param>
    /// <returns>Threads that still hold something; empty when all is well.</returns>
    public static IReadOnlyList<ThreadPrivilege> Initialize(CapabilitySet keep)
    {
        AtStart = ProcessCapabilities.Current();
        NoNewPrivilegesAtStart = CapabilityCalls.prctl(CapabilityCalls.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
        // Not dumpable: no ptrace and no core dump by the user who started it, and /proc/PID of it belongs to root.
        _ = CapabilityCalls.prctl(CapabilityCalls.PR_SET_DUMPABLE, 0, 0, 0, 0);
        // The configuration comes from the managed copy; the C libraries get no say from the caller's environment.
        _ = Environment.GetEnvironmentVariables();
        _ = CapabilityCalls.clearenv();
        return Apply(keep & AtStart.Permitted);
    }

    /// <summary>The second phase, when the configuration is known: what it cannot need later leaves permitted on every thread.</summary>
    /// <returns>Threads that still hold more; empty when all is well.</returns>
    public static IReadOnlyList<ThreadPrivilege> Retain(CapabilitySet keep) =>
        Apply((initialized ? permitted : ProcessCapabilities.Current().Permitted) & keep);

    /// <summary>
    /// Makes those of <paramref name="capabilities"/> that are permitted effective on the calling thread until the result is disposed on
    /// it. Where BPF, PERFMON or CHECKPOINT_RESTORE is not permitted, SYS_ADMIN is raised in its place. Nests; allocates nothing.
    /// </summary>
    public static Raised Raise(CapabilitySet capabilities)
    {
        var before = raised;
        if (!initialized)
        {
            return new Raised(before, active: false);
        }

        var wanted = capabilities & permitted;
        if (permitted.Contains(Capability.SysAdmin) && !((capabilities & SubstitutedBySysAdmin).Except(permitted)).IsEmpty)
        {
            wanted = wanted.With(Capability.SysAdmin);
        }

        var after = before | wanted.Bits;
        if (after == before)
        {
            return new Raised(before, active: false);
        }

        SetEffective(after);
        return new Raised(before, active: true);
    }

    /// <inheritdoc cref="Raise(CapabilitySet)"/>
    public static Raised Raise(params ReadOnlySpan<Capability> capabilities) => Raise(CapabilitySet.Of(capabilities));

    /// <summary>The state in one line, for the report on SIGUSR1: read from the kernel, not from memory.</summary>
    public static string Describe()
    {
        var now = ProcessCapabilities.Current();
        var threads = ThreadPrivilege.ReadAll();
        var holding = threads
            .Where(thread => !thread.Capabilities.Effective.IsEmpty)
            .Select(thread => $"{thread.Name}: {thread.Capabilities.Effective}");
        var effective = string.Join("; ", holding);
        return $"effective={(effective.Length == 0 ? "none" : effective)} permitted={now.Permitted} inheritable={now.Inheritable} "
            + $"bounding={now.Bounding} ambient={now.Ambient} no_new_privs={YesNo(CapabilityCalls.PR_GET_NO_NEW_PRIVS)} "
            + $"dumpable={YesNo(CapabilityCalls.PR_GET_DUMPABLE)} threads={threads.Count}";
    }

    private static string YesNo(int option) => CapabilityCalls.prctl(option, 0, 0, 0, 0) > 0 ? "yes" : "no";

    private static List<ThreadPrivilege> Apply(CapabilitySet keep)
    {
        permitted = keep;
        LowerThisThread();
        initialized = true;
        LowerFinalizerThread();
        return [.. ThreadPrivilege.ReadAll().Where(HoldsTooMuch)];
    }

    private static bool HoldsTooMuch(ThreadPrivilege thread) =>
        !thread.Capabilities.Effective.IsEmpty
        || !thread.Capabilities.Ambient.IsEmpty
        || !permitted.ContainsAll(thread.Capabilities.Permitted);

    private static void LowerThisThread()
    {
        _ = CapabilityCalls.Get(out _, out var own, out _);
        if (own.Contains(Capability.Setpcap))
        {
            _ = CapabilityCalls.Set(CapabilitySet.Of(Capability.Setpcap), own, CapabilitySet.None);
            for (ulong number = 0; CapabilityCalls.prctl(CapabilityCalls.PR_CAPBSET_DROP, number, 0, 0, 0) == 0; number++)
            {
            }
        }

        _ = CapabilityCalls.prctl(CapabilityCalls.PR_CAP_AMBIENT, CapabilityCalls.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        _ = CapabilityCalls.prctl(CapabilityCalls.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        raised = 0;
        if (CapabilityCalls.Set(CapabilitySet.None, permitted & own, CapabilitySet.None) < 0)
        {
            throw new KernelException("lower own capabilities (capset)", Marshal.GetLastPInvokeError());
        }
    }

    // The runtime starts its finalizer thread before Main; only that thread can lower itself.
    private static void LowerFinalizerThread()
    {
        var before = finalizerLowered;
        for (var attempt = 0; attempt < 3 && finalizerLowered == before; attempt++)
        {
            LeaveForFinalizer();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LeaveForFinalizer() => _ = new LowerOnFinalizerThread();

    private static void SetEffective(ulong bits)
    {
        raised = bits;
        if (CapabilityCalls.Set(new CapabilitySet(bits), permitted, CapabilitySet.None) < 0)
        {
            throw new KernelException("change own effective capabilities (capset)", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Lowers again when disposed, on the thread that raised.</summary>
    public readonly ref struct Raised
    {
        private readonly ulong before;
        private readonly bool active;

        internal Raised(ulong before, bool active)
        {
            this.before = before;
            this.active = active;
        }

        /// <summary>Lowers again what was raised. To be called on the thread that raised.</summary>
        public void Dispose()
        {
            if (active)
            {
                SetEffective(before);
            }
        }
    }

    private sealed class LowerOnFinalizerThread
    {
        ~LowerOnFinalizerThread()
        {
            try
            {
                LowerThisThread();
            }
            catch (KernelException)
            {
                // What the thread keeps shows in the list that Initialize returns; an exception here would end the process.
            }

            Interlocked.Increment(ref finalizerLowered);
        }
    }
}

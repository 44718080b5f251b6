using System.Runtime.InteropServices;

namespace Beyla.Agent.Capabilities;

/// <summary>
/// The system calls on the capabilities of the calling thread: capget(2), capset(2), prctl(2). All return 0 or a value, or -1 with errno
/// set.
/// </summary>
internal static unsafe partial class CapabilityCalls
{
    /// <summary>Operations of prctl(2), by the names that include/uapi/linux/prctl.h gives them.</summary>
    internal const int PR_SET_DUMPABLE = 4, PR_GET_DUMPABLE = 3, PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38,
        PR_GET_NO_NEW_PRIVS = 39, PR_CAP_AMBIENT = 47;

    /// <summary>What PR_CAP_AMBIENT is asked to do (include/uapi/linux/prctl.h).</summary>
    internal const ulong PR_CAP_AMBIENT_IS_SET = 1, PR_CAP_AMBIENT_CLEAR_ALL = 4;

    private const uint Version3 = 0x20080522;

    /// <summary>struct __user_cap_header_struct; thread 0 is the calling thread.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public uint Version;
        public int Thread;
    }

    /// <summary>struct __user_cap_data_struct twice: the low and the high 32 capabilities.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Data
    {
        public uint EffectiveLow, PermittedLow, InheritableLow, EffectiveHigh, PermittedHigh, InheritableHigh;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int capget(Header* header, Data* data);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int capset(Header* header, Data* data);

    /// <summary>prctl(2) for the calling thread; -1 with errno set when it fails.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int prctl(int option, ulong argument2, ulong argument3, ulong argument4, ulong argument5);

    /// <summary>Empties the C library's environment; Environment.SetEnvironmentVariable changes only the managed copy.</summary>
    [LibraryImport("libc")]
    internal static partial int clearenv();

    /// <summary>Reads the three sets of the calling thread.</summary>
    internal static int Get(out CapabilitySet effective, out CapabilitySet permitted, out CapabilitySet inheritable)
    {
        var header = new Header { Version = Version3 };
        Data data;
        var result = capget(&header, &data);
        effective = Join(data.EffectiveLow, data.EffectiveHigh);
        permitted = Join(data.PermittedLow, data.PermittedHigh);
        inheritable = Join(data.InheritableLow, data.InheritableHigh);
        return result;
    }

    /// <summary>Sets the three sets of the calling thread.</summary>
    internal static int Set(CapabilitySet effective, CapabilitySet permitted, CapabilitySet inheritable)
    {
        var header = new Header { Version = Version3 };
        var data = new Data
        {
            EffectiveLow = (uint)effective.Bits,
            EffectiveHigh = (uint)(effective.Bits >> 32),
            PermittedLow = (uint)permitted.Bits,
            PermittedHigh = (uint)(permitted.Bits >> 32),
            InheritableLow = (uint)inheritable.Bits,
            InheritableHigh = (uint)(inheritable.Bits >> 32),
        };
        return capset(&header, &data);
    }

    private static CapabilitySet Join(uint low, uint high) => new(low | ((ulong)high << 32));
}

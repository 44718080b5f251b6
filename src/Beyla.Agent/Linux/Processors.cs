using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>The processors of the host.</summary>
public static partial class Processors
{
    private const int SC_NPROCESSORS_ONLN = 84; // _SC_NPROCESSORS_ONLN, bits/confname.h of glibc

    /// <summary>
    /// How many are online. Not <see cref="Environment.ProcessorCount"/>: that is what the agent itself may use, by its affinity and its
    /// control group.
    /// </summary>
    public static int Online => Math.Max(1, (int)sysconf(SC_NPROCESSORS_ONLN));

    [LibraryImport("libc")]
    private static partial nint sysconf(int name);
}

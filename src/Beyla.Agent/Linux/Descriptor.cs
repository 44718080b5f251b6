using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>File descriptors that no handle owns.</summary>
public static partial class Descriptor
{
    /// <summary>Closes one (close(2)).</summary>
    /// <returns>False when it was not open, or a write before it did not arrive; it is closed in either case.</returns>
    public static bool Close(int descriptor) => close(descriptor) == 0;

    /// <summary>Another one for the same open file, which programs that are started do not get (fcntl(2), F_DUPFD_CLOEXEC).</summary>
    /// <returns>The descriptor, or the negative errno.</returns>
    internal static int Duplicate(int descriptor)
    {
        const int duplicate = 1030, lowest = 3;
        var copy = fcntl(descriptor, duplicate, lowest);
        return copy >= 0 ? copy : -Marshal.GetLastPInvokeError();
    }

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);
}

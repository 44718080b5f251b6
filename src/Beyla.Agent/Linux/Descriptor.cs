using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>File descriptors that no handle owns.</summary>
internal static partial class Descriptor
{
    /// <summary>Closes one (close(2)).</summary>
    /// <returns>False when it was not open, or a write before it did not arrive; it is closed in either case.</returns>
    internal static bool Close(int descriptor) => close(descriptor) == 0;

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}

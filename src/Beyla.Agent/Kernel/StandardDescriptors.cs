using System.Runtime.InteropServices;

namespace Beyla.Agent.Kernel;

/// <summary>
/// Makes sure that the descriptors 0 to 2 are open. A caller may start the agent without them; then the next file that is opened, such as an eBPF
/// map, would become standard output or standard error and be written to.
/// </summary>
public static partial class StandardDescriptors
{
    private const int GetDescriptorFlags = 1, WriteOnly = 1, ReadWrite = 2;

    /// <summary>Opens those that are closed on /dev/null, as glibc does for set-user-ID programs. To be called before any other file is opened.</summary>
    public static void Ensure()
    {
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            // The lowest free number is taken, which is this one. Standard input stays unreadable: its end would be a sign to stop.
            if (fcntl(descriptor, GetDescriptorFlags, 0) < 0)
                _ = Open("/dev/null", descriptor == 0 ? WriteOnly : ReadWrite);
        }
    }

    [LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}

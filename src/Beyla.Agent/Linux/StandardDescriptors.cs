using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>
/// Makes sure that the descriptors 0 to 2 are open. A caller may start the agent without them; then the next file that is opened, such
/// as an eBPF map, would become standard output or standard error and be written to.
/// </summary>
public static unsafe partial class StandardDescriptors
{
    private const int GetDescriptorFlags = 1, GetStatusFlags = 3, AccessMode = 3, ReadOnly = 0, WriteOnly = 1, ReadWrite = 2;

    /// <summary>
    /// Opens those that are closed on /dev/null, as glibc does for set-user-ID programs. To be called before any other file is opened.
    /// </summary>
    public static void Ensure()
    {
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            // The lowest free number is taken, which is this one. Standard input stays unreadable: its end would be a sign to stop.
            if (fcntl(descriptor, GetDescriptorFlags, 0) < 0)
            {
                _ = Open("/dev/null", descriptor == 0 ? WriteOnly : ReadWrite);
            }
            else if (descriptor != 0 && IsUnwritableNull(descriptor))
            {
                Reopen(descriptor);
            }
        }
    }

    /// <summary>
    /// For a program with file capabilities glibc opens closed descriptors itself, outputs as a /dev/null that cannot be written to
    /// (csu/check_fds.c). A caller who wants no output gets none from root's agent and none from this one, and no error from either.
    /// </summary>
    private static bool IsUnwritableNull(int descriptor)
    {
        return (fcntl(descriptor, GetStatusFlags, 0) & AccessMode) == ReadOnly
            && FileStatus.TryRead(descriptor, "", FileStatus.EmptyPath, FileStatus.Basic, out var status)
            && status.IsCharacterDevice(1, 3); // /dev/null
    }

    private static void Reopen(int descriptor)
    {
        var file = Open("/dev/null", ReadWrite);
        if (file < 0)
        {
            return;
        }

        _ = dup2(file, descriptor);
        _ = Descriptor.Close(file);
    }

    [LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc")]
    private static partial int dup2(int from, int to);
}

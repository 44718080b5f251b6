using System.Runtime.InteropServices;

namespace Beyla.Agent.Capabilities;

/// <summary>System calls on files that the runtime has no face for. All return -1 with errno set when they fail.</summary>
internal static unsafe partial class FileCalls
{
    /// <summary>Flags of open(2) (include/uapi/asm-generic/fcntl.h).</summary>
    internal const int O_RDONLY = 0, O_CLOEXEC = 0x80000, O_NONBLOCK = 0x800;

    /// <summary>Commands of fcntl(2) for leases, and the signal that a broken lease sends in place of SIGIO.</summary>
    internal const int F_SETSIG = 10, F_SETLEASE = 1024, F_RDLCK = 0, SIGURG = 23;

    /// <summary>Flag of fstatvfs(3): set-user-ID bits and file capabilities have no effect on the file system.</summary>
    internal const ulong ST_NOSUID = 2;

    /// <summary>struct statvfs of glibc on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct FileSystemStatus
    {
        public ulong BlockSize, FragmentSize, Blocks, FreeBlocks, AvailableBlocks,
            Files, FreeFiles, AvailableFiles, Identifier, Flags, NameMaximum;
        private fixed int spare[6];
    }

    /// <summary>open(2); the descriptor.</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, uint mode);

    /// <summary>fcntl(2) with an argument that is a number.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fcntl(int file, int command, int argument);

    /// <summary>fstatvfs(3).</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fstatvfs(int file, FileSystemStatus* status);

    /// <summary>fgetxattr(2); the size of the value in bytes.</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint fgetxattr(int file, string name, byte* value, nuint size);

    /// <summary>fsetxattr(2).</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int fsetxattr(int file, string name, byte* value, nuint size, int flags);

    /// <summary>fremovexattr(2).</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int fremovexattr(int file, string name);

    /// <summary>socket(2); the descriptor.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    /// <summary>geteuid(2); never fails.</summary>
    [LibraryImport("libc")]
    internal static partial uint geteuid();
}

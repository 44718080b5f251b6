using System.Runtime.InteropServices;

namespace Beyla.Agent.Capabilities;

/// <summary>System calls on files that the runtime has no face for. All return -1 with errno set when they fail.</summary>
internal static unsafe partial class FileCalls
{
    internal const int O_RDONLY = 0, O_NOFOLLOW = 0x20000, O_CLOEXEC = 0x80000, O_NONBLOCK = 0x800;
    internal const int F_SETSIG = 10, F_SETLEASE = 1024, F_RDLCK = 0, SIGURG = 23;
    internal const ulong ST_NOSUID = 2;
    internal const int TypeMask = 0xf000, RegularFile = 0x8000;

    /// <summary>struct statvfs of glibc on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct FileSystemStatus
    {
        public ulong BlockSize, FragmentSize, Blocks, FreeBlocks, AvailableBlocks, Files, FreeFiles, AvailableFiles, Identifier, Flags, NameMaximum;
        private fixed int spare[6];
    }

    /// <summary>struct statx, up to the owner and mode (include/uapi/linux/stat.h).</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    internal struct FileStatus
    {
        public uint Mask, BlockSize;
        public ulong Attributes;
        public uint Links, User, Group;
        public ushort Mode;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fcntl(int file, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fstatvfs(int file, FileSystemStatus* status);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int statx(int directory, byte* path, int flags, uint mask, FileStatus* status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint fgetxattr(int file, string name, byte* value, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int fsetxattr(int file, string name, byte* value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int fremovexattr(int file, string name);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    internal static partial uint geteuid();
}

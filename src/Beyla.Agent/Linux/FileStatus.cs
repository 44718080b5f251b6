using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>What tells one content of a file from another.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, long ModifiedSeconds, uint ModifiedNanoseconds, long Size);

/// <summary>What the kernel knows of a file (struct statx, include/uapi/linux/stat.h): the same on every architecture.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal partial struct FileStatus
{
    /// <summary>Bits of the file's type in the mode, and types (inode(7)).</summary>
    internal const int TypeMask = 0xf000, Regular = 0x8000, CharacterDevice = 0x2000, Pipe = 0x1000;

    /// <summary>All that stat(2) tells (STATX_BASIC_STATS).</summary>
    internal const uint Basic = 0x7ff;

    /// <summary>Number of the mount (STATX_MNT_ID, Linux 5.8).</summary>
    internal const uint MountNumber = 0x1000;

    /// <summary>The directory in which a relative path begins: the current one (AT_FDCWD).</summary>
    internal const int CurrentDirectory = -100;

    /// <summary>
    /// An empty path means the descriptor itself (AT_EMPTY_PATH); the server of a file system is not asked (AT_STATX_DONT_SYNC).
    /// </summary>
    internal const int EmptyPath = 0x1000, DoNotSync = 0x4000;

    [FieldOffset(0)]
    private readonly uint known;

    [FieldOffset(16)]
    private readonly uint links;

    [FieldOffset(20)]
    private readonly uint owner;

    [FieldOffset(28)]
    private readonly ushort mode;

    [FieldOffset(32)]
    private readonly ulong inode;

    [FieldOffset(40)]
    private readonly ulong size;

    [FieldOffset(112)]
    private readonly long modifiedSeconds;

    [FieldOffset(120)]
    private readonly uint modifiedNanoseconds;

    [FieldOffset(128)]
    private readonly uint specialMajor;

    [FieldOffset(132)]
    private readonly uint specialMinor;

    [FieldOffset(136)]
    private readonly uint deviceMajor;

    [FieldOffset(140)]
    private readonly uint deviceMinor;

    [FieldOffset(144)]
    private readonly ulong mount;

    /// <summary>Type and permission bits (inode(7)).</summary>
    internal readonly int Mode => mode;

    /// <summary>User id of the owner.</summary>
    internal readonly uint Owner => owner;

    /// <summary>Bytes.</summary>
    internal readonly ulong Size => size;

    /// <summary>Names that the file has; 0 when it is deleted.</summary>
    internal readonly uint Links => links;

    /// <summary>A regular file: no device, pipe, socket or directory.</summary>
    internal readonly bool IsRegular => (mode & TypeMask) == Regular;

    /// <summary>A pipe, with or without a name.</summary>
    internal readonly bool IsPipe => (mode & TypeMask) == Pipe;

    /// <summary>Which file with which content.</summary>
    internal readonly FileIdentity Identity => new(
        ((ulong)deviceMajor << 32) | deviceMinor, inode, modifiedSeconds, modifiedNanoseconds, (long)size);

    /// <summary>Number of the mount in mountinfo (proc_pid_mountinfo(5)); null where the kernel does not tell.</summary>
    internal readonly ulong? Mount => (known & MountNumber) != 0 ? mount : null;

    /// <summary>Whether it is the character device of these numbers (Documentation/admin-guide/devices.txt).</summary>
    internal readonly bool IsCharacterDevice(uint major, uint minor) =>
        (mode & TypeMask) == CharacterDevice && (specialMajor, specialMinor) == (major, minor);

    /// <summary>Asks for a file (statx(2)).</summary>
    /// <param name="directory">Where a relative path begins; the open file itself with no path and <see cref="EmptyPath"/>.</param>
    /// <param name="path">The path; links are followed.</param>
    /// <param name="flags">0, or <see cref="EmptyPath"/> and <see cref="DoNotSync"/>.</param>
    /// <param name="wanted">What is asked for: <see cref="Basic"/> and <see cref="MountNumber"/>.</param>
    /// <param name="status">What is known.</param>
    /// <returns>False with errno as the last P/Invoke error.</returns>
    internal static bool TryRead(int directory, string path, int flags, uint wanted, out FileStatus status) =>
        statx(directory, path, flags, wanted, out status) == 0;

    /// <inheritdoc cref="TryRead(int, string, int, uint, out FileStatus)"/>
    /// <param name="directory">As there.</param>
    /// <param name="path">Zero terminated bytes.</param>
    /// <param name="flags">As there.</param>
    /// <param name="wanted">As there.</param>
    /// <param name="status">As there.</param>
    internal static unsafe bool TryRead(int directory, byte* path, int flags, uint wanted, out FileStatus status)
    {
        fixed (FileStatus* result = &status)
        {
            *result = default;
            return statx(directory, path, flags, wanted, result) == 0;
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, out FileStatus status);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int statx(int directory, byte* path, int flags, uint mask, FileStatus* status);
}

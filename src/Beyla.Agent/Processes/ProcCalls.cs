using System.Buffers.Text;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes;

/// <summary>
/// The system calls on files of /proc. Not System.IO: a process that vanishes in between is the normal case here, and an exception for
/// each would cost more than the reading. Results are those of the call, or the negative errno. Paths are bytes without a zero, since the
/// kernel's are; none of the calls takes memory.
/// </summary>
internal static unsafe partial class ProcCalls
{
    // asm-generic/fcntl.h. O_NONBLOCK: the executable could be replaced by a FIFO, and opening one must not wait for a writer.
    private const int O_RDONLY = 0, O_NOCTTY = 0x100, O_NONBLOCK = 0x800, O_NOFOLLOW = 0x20000, O_CLOEXEC = 0x80000, O_PATH = 0x200000;

    // linux/openat2.h, asm-generic/unistd.h, linux/time.h.
    private const ulong RESOLVE_NO_MAGICLINKS = 2, RESOLVE_IN_ROOT = 0x10, RESOLVE_CACHED = 0x20;
    private const nint SYS_openat2 = 437;

    // arch/x86/entry/syscalls/syscall_64.tbl; asm-generic/unistd.h. struct linux_dirent64 (getdents64(2)): d_reclen, d_name.
    private static readonly nint SYS_getdents64 = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 217 : 61;
    private const int EntryLength = 16, EntryName = 19;

    private const int CLOCK_THREAD_CPUTIME_ID = 3;

    /// <summary>
    /// Opens a file for reading, without waiting where the kernel can avoid it (O_NONBLOCK); a descriptor or a negative errno.
    /// </summary>
    internal static int Open(ReadOnlySpan<byte> path) => OpenWith(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    /// <summary>Closes a descriptor; errors are of no interest for files that were only read.</summary>
    internal static void Close(int file) => _ = Descriptor.Close(file);

    /// <summary>The target of a link, cut to the room that there is; its bytes or a negative errno.</summary>
    internal static int ReadLink(ReadOnlySpan<byte> path, Span<byte> target)
    {
        var name = stackalloc byte[ProcReader.MaximumPath];
        if (!TryTerminate(path, name))
        {
            return -Errno.ENAMETOOLONG;
        }

        fixed (byte* to = target)
        {
            var length = readlink(name, to, (nuint)target.Length);
            return length >= 0 ? (int)length : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Reads on from where the file stands; the bytes read, 0 at the end, or a negative errno.</summary>
    internal static int Read(int file, Span<byte> target)
    {
        fixed (byte* to = target)
        {
            var length = read(file, to, (nuint)target.Length);
            return length >= 0 ? (int)length : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Fills the target as far as the file reaches.</summary>
    internal static int ReadAt(int file, Span<byte> target, long offset)
    {
        var total = 0;
        while (total < target.Length)
        {
            fixed (byte* to = target[total..])
            {
                var length = pread(file, to, (nuint)(target.Length - total), offset + total);
                if (length < 0)
                {
                    return -Marshal.GetLastPInvokeError();
                }

                if (length == 0)
                {
                    break;
                }

                total += (int)length;
            }
        }

        return total;
    }

    /// <summary>A descriptor that only names a file (O_PATH): its file system is not asked to open anything.</summary>
    internal static int OpenName(ReadOnlySpan<byte> path) => OpenWith(path, O_PATH | O_CLOEXEC);

    /// <summary>A path that ends with a number.</summary>
    /// <param name="directory">What stands before the number, its slash included.</param>
    /// <param name="number">Not negative.</param>
    /// <param name="room">Takes it: ten bytes more than <paramref name="directory"/>.</param>
    internal static ReadOnlySpan<byte> NumberedPath(ReadOnlySpan<byte> directory, int number, Span<byte> room)
    {
        directory.CopyTo(room);
        _ = Utf8Formatter.TryFormat(number, room[directory.Length..], out var digits);
        return room[..(directory.Length + digits)];
    }

    /// <summary>Whether something has this name. Only a clear answer is a no.</summary>
    internal static bool MayExist(ReadOnlySpan<byte> path)
    {
        var name = stackalloc byte[ProcReader.MaximumPath];
        return !TryTerminate(path, name)
            || FileStatus.TryRead(FileStatus.CurrentDirectory, name, FileStatus.DoNotSync, FileStatus.Basic, out _)
            || Marshal.GetLastPInvokeError() != Errno.ENOENT;
    }

    /// <summary>
    /// As <see cref="OpenName"/>, below a root directory and only as far as the kernel has each name in its cache
    /// (openat2(2), RESOLVE_CACHED, Linux 5.12): no file system is asked, so that this cannot wait.
    /// </summary>
    internal static int OpenCachedName(int root, ReadOnlySpan<byte> path)
    {
        var name = stackalloc byte[ProcReader.MaximumPath];
        if (!TryTerminate(path, name))
        {
            return -Errno.ENAMETOOLONG;
        }

        var how = stackalloc ulong[3] { O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT | RESOLVE_CACHED };
        var file = syscall(SYS_openat2, root, name, how, 3 * sizeof(ulong));
        return file >= 0 ? (int)file : -Marshal.GetLastPInvokeError();
    }

    /// <summary>
    /// What the kernel knows of an open or named file (struct statx, linux/stat.h), without asking the server of a file system.
    /// </summary>
    internal static bool TryIdentify(int file, out FileStatus status)
    {
        const uint wanted = FileStatus.Basic | FileStatus.MountNumber;
        return FileStatus.TryRead(file, "", FileStatus.EmptyPath | FileStatus.DoNotSync, wanted, out status);
    }

    /// <summary>Bytes of what has this name, as the kernel says (statx(2)); a negative errno.</summary>
    internal static long SizeOf(ReadOnlySpan<byte> path)
    {
        var name = stackalloc byte[ProcReader.MaximumPath];
        return !TryTerminate(path, name) ? -Errno.ENAMETOOLONG
            : FileStatus.TryRead(FileStatus.CurrentDirectory, name, FileStatus.DoNotSync, FileStatus.Basic, out var status)
                ? (long)status.Size : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Entries of an open directory, without itself and the one above.</summary>
    /// <param name="directory">Stands at its beginning.</param>
    /// <param name="limit">No more are counted.</param>
    /// <param name="room">For some of them at a time; at least a kilobyte.</param>
    /// <returns>How many, -E2BIG where there are more than the limit, or another negative errno.</returns>
    internal static int CountEntries(int directory, int limit, Span<byte> room)
    {
        var count = 0;
        while (count <= limit)
        {
            int length;
            fixed (byte* to = room)
            {
                length = (int)syscall(SYS_getdents64, directory, to, (nuint)room.Length);
            }

            if (length <= 0)
            {
                return length == 0 ? count : -Marshal.GetLastPInvokeError();
            }

            var at = 0;
            while (at + EntryName < length)
            {
                var name = room[(at + EntryName)..];
                count += name.StartsWith(".\0"u8) || name.StartsWith("..\0"u8) ? 0 : 1;
                at += Math.Max(EntryName, (int)MemoryMarshal.Read<ushort>(room[(at + EntryLength)..]));
            }
        }

        return -Errno.E2BIG;
    }

    /// <summary>Nanoseconds of processor time that the calling thread has used.</summary>
    internal static long ThreadTime()
    {
        var time = stackalloc long[2];
        return clock_gettime(CLOCK_THREAD_CPUTIME_ID, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : 0;
    }

    private static int OpenWith(ReadOnlySpan<byte> path, int flags)
    {
        var name = stackalloc byte[ProcReader.MaximumPath];
        if (!TryTerminate(path, name))
        {
            return -Errno.ENAMETOOLONG;
        }

        var file = open(name, flags);
        return file >= 0 ? file : -Marshal.GetLastPInvokeError();
    }

    /// <summary>
    /// Copies a path and puts the zero behind it; false where the kernel would say that it is too long (PATH_MAX counts the zero).
    /// </summary>
    private static bool TryTerminate(ReadOnlySpan<byte> path, byte* name)
    {
        if (path.Length >= ProcReader.MaximumPath)
        {
            return false;
        }

        path.CopyTo(new Span<byte>(name, path.Length));
        name[path.Length] = 0;
        return true;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint directory, byte* path, ulong* how, nint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint file, byte* buffer, nuint size);

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readlink(byte* path, byte* buffer, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int file, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int file, byte* buffer, nuint count, long offset);
}

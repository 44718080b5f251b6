using System.Runtime.InteropServices;

namespace Beyla.Agent.Processes;

/// <summary>
/// The system calls on files of /proc. Not System.IO: a process that vanishes in between is the normal case here, and an exception for
/// each would cost more than the reading. Results are those of the call, or the negative errno.
/// </summary>
internal static unsafe partial class ProcCalls
{
    // asm-generic/fcntl.h. O_NONBLOCK: the executable could be replaced by a FIFO, and opening one must not wait for a writer.
    private const int O_RDONLY = 0, O_NOCTTY = 0x100, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000;

    // linux/stat.h, linux/fcntl.h.
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_TYPE = 1, STATX_MTIME = 0x40, STATX_INO = 0x100, STATX_SIZE = 0x200;
    private const int StatxSize = 256;
    private const ushort S_IFMT = 0xF000, S_IFREG = 0x8000;

    internal static int Open(string path)
    {
        var file = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        return file >= 0 ? file : -Marshal.GetLastPInvokeError();
    }

    internal static void Close(int file) => _ = close(file);

    internal static int ReadLink(string path, Span<byte> target)
    {
        fixed (byte* to = target)
        {
            var length = readlink(path, to, (nuint)target.Length);
            return length >= 0 ? (int)length : -Marshal.GetLastPInvokeError();
        }
    }

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
                    return -Marshal.GetLastPInvokeError();
                if (length == 0)
                    break;
                total += (int)length;
            }
        }

        return total;
    }

    /// <summary>Identity and size of an open regular file (struct statx, linux/stat.h); false for anything else.</summary>
    internal static bool TryIdentify(int file, out FileIdentity identity)
    {
        var buffer = stackalloc byte[StatxSize];
        identity = default;
        if (statx(file, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MTIME | STATX_INO | STATX_SIZE, buffer) != 0)
            return false;
        if ((*(ushort*)(buffer + 28) & S_IFMT) != S_IFREG)
            return false;
        var device = ((ulong)*(uint*)(buffer + 136) << 32) | *(uint*)(buffer + 140);
        identity = new FileIdentity(device, *(ulong*)(buffer + 32), *(long*)(buffer + 112), *(uint*)(buffer + 120), *(long*)(buffer + 40));
        return true;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc")]
    private static partial int close(int file);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint readlink(string path, byte* buffer, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int file, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int file, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* buffer);
}

/// <summary>What tells one content of a file from another.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, long ModifiedSeconds, uint ModifiedNanoseconds, long Size);

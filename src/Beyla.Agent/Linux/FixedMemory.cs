using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>
/// Files in memory whose size nobody can change (memfd_create(2), F_ADD_SEALS of fcntl(2)): whoever maps one of a process that it does not
/// trust would otherwise be killed by SIGBUS as soon as that one cuts the file.
/// </summary>
internal static unsafe partial class FixedMemory
{
    private const uint MFD_ALLOW_SEALING = 2;
    private const int F_ADD_SEALS = 1033, F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4;
    private const int SEEK_END = 2;

    /// <summary>Makes one, all zero.</summary>
    /// <param name="name">For /proc/PID/fd and /proc/PID/maps.</param>
    /// <param name="length">Bytes.</param>
    /// <returns>The descriptor, which the caller closes.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static int Create(string name, int length)
    {
        var file = MemoryFile.Create(name, MFD_ALLOW_SEALING);
        if (file < 0)
        {
            throw new KernelException("make a file in memory", -file);
        }

        if (ftruncate(file, length) < 0 || fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            _ = Descriptor.Close(file);
            throw new KernelException("give a file in memory its size", errno);
        }

        return file;
    }

    /// <summary>Maps the whole of one, to read and to write.</summary>
    /// <param name="descriptor">The file.</param>
    /// <param name="length">Bytes that it must have.</param>
    /// <exception cref="KernelException">It has another size (EINVAL), or the kernel refused.</exception>
    internal static void* Map(int descriptor, int length)
    {
        const string what = "map a file in memory";
        if (lseek(descriptor, 0, SEEK_END) is var there && there != length)
        {
            throw new KernelException(what, there < 0 ? Marshal.GetLastPInvokeError() : Errno.EINVAL);
        }

        var memory = SharedMemory.Map(descriptor, 0, (nuint)length, SharedMemory.Read | SharedMemory.Write);
        return memory == null ? throw new KernelException(what, Marshal.GetLastPInvokeError()) : memory;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int file, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int file, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint lseek(int file, nint offset, int origin);
}

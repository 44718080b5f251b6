using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>Memory that is shared with a file or with the kernel (mmap(2), MAP_SHARED).</summary>
internal static unsafe partial class SharedMemory
{
    internal const int Read = 1, Write = 2; // PROT_READ, PROT_WRITE
    private const int MapShared = 1;
    private const int MadviseRemove = 9;

    /// <summary>Maps a part of a file.</summary>
    /// <param name="descriptor">The file.</param>
    /// <param name="offset">Where the part begins: bytes, a multiple of the page size.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="protection"><see cref="Read"/>, <see cref="Write"/> or both.</param>
    /// <returns>The memory; null when it cannot be mapped, with errno in <see cref="Marshal.GetLastPInvokeError"/>.</returns>
    internal static void* Map(int descriptor, nint offset, nuint length, int protection)
    {
        var memory = mmap(null, length, protection, MapShared, descriptor, offset);
        return (nint)memory == -1 ? null : memory;
    }

    /// <summary>Gives it back; the same length as it was mapped with.</summary>
    internal static void Unmap(void* memory, nuint length) => _ = munmap(memory, length);

    /// <summary>
    /// Frees the pages behind a mapping of anonymous memory, which reads as zeros from then on (madvise(2), MADV_REMOVE). Nothing happens
    /// where the kernel refuses.
    /// </summary>
    internal static void Clear(void* memory, nuint length) => _ = madvise(memory, length, MadviseRemove);

    [LibraryImport("libc", SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);

    [LibraryImport("libc")]
    private static partial int madvise(void* address, nuint length, int advice);
}

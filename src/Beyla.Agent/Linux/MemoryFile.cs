using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Linux;

/// <summary>A text in a file that has no name (memfd_create(2)), to be passed to another process.</summary>
public sealed partial class MemoryFile : IDisposable
{
    private const uint CloseOnExec = 1; // MFD_CLOEXEC, linux/memfd.h

    private readonly SafeFileHandle handle;

    private MemoryFile(SafeFileHandle handle) => this.handle = handle;

    /// <summary>Stays this object's.</summary>
    public int FileDescriptor => (int)handle.DangerousGetHandle();

    /// <summary>Makes one.</summary>
    /// <exception cref="KernelException">The kernel gives none.</exception>
    public static MemoryFile Of(string text)
    {
        var descriptor = Create("beyla");
        if (descriptor < 0)
        {
            throw new KernelException("make a file in memory", -descriptor);
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.Write(handle, Encoding.UTF8.GetBytes(text), 0);
        return new MemoryFile(handle);
    }

    /// <summary>An empty one (memfd_create(2)), which programs that are started do not get.</summary>
    /// <param name="name">For /proc/PID/fd and /proc/PID/maps.</param>
    /// <param name="flags">Further flags of the call.</param>
    /// <returns>The descriptor, which the caller closes, or the negative errno.</returns>
    internal static int Create(string name, uint flags = 0)
    {
        var file = memfd_create(name, CloseOnExec | flags);
        return file >= 0 ? file : -Marshal.GetLastPInvokeError();
    }

    /// <summary>The text of one that another process made; the descriptor is closed.</summary>
    public static string Take(int descriptor)
    {
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        var content = new byte[RandomAccess.GetLength(handle)];
        var length = RandomAccess.Read(handle, content, 0);
        return Encoding.UTF8.GetString(content, 0, length);
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
}

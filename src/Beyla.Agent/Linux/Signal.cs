using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>A flag that any thread sets and that wakes an epoll (eventfd(2)).</summary>
public sealed unsafe partial class Signal : IDisposable
{
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800;

    private volatile bool isSet;

    /// <summary>Creates the flag, not set.</summary>
    /// <exception cref="KernelException">The kernel gives no descriptor.</exception>
    public Signal()
    {
        FileDescriptor = eventfd(0, CloseOnExec | NonBlocking);
        if (FileDescriptor < 0)
        {
            throw new KernelException("create an event file descriptor", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Readable once the flag is set.</summary>
    public int FileDescriptor { get; }

    /// <summary>Whether it was set. It stays so.</summary>
    public bool IsSet => isSet;

    /// <summary>Sets the flag and wakes who waits for <see cref="FileDescriptor"/>; more than once does no harm.</summary>
    public void Set()
    {
        isSet = true;
        ulong one = 1;
        _ = write(FileDescriptor, &one, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Descriptor.Close(FileDescriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial nint write(int fd, void* buffer, nuint count);
}

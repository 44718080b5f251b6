using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>Waits for several file descriptors, edge triggered (epoll(7)).</summary>
public sealed unsafe partial class Epoll : IDisposable
{
    private const int CloseOnExec = 0x80000, Add = 1;
    private const uint In = 1, EdgeTriggered = 1u << 31;

    private readonly int fd;

    /// <summary>Creates the instance, which has nothing to watch yet.</summary>
    /// <exception cref="KernelException">The kernel gives no descriptor.</exception>
    public Epoll()
    {
        fd = epoll_create1(CloseOnExec);
        if (fd < 0)
        {
            throw new KernelException("create an epoll instance", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Wakes <see cref="Wait"/> when <paramref name="descriptor"/> becomes readable.</summary>
    public void Watch(int descriptor)
    {
        if (!TryAdd(descriptor, In))
        {
            throw new KernelException("watch a file descriptor by epoll", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>
    /// Wakes <see cref="Wait"/> when the other end of <paramref name="descriptor"/> is closed. Files and most devices have none: they are
    /// passed over.
    /// </summary>
    public void WatchEnd(int descriptor)
    {
        if (!TryAdd(descriptor, 0) && Marshal.GetLastPInvokeError() is not (Errno.EPERM or Errno.EEXIST or Errno.EBADF))
        {
            throw new KernelException("watch the end of a file descriptor by epoll", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Returns when something is readable, on a signal, or after the time limit.</summary>
    /// <param name="milliseconds">Time limit; -1 for none.</param>
    /// <returns>The number of descriptors that became readable.</returns>
    public int Wait(int milliseconds)
    {
        var events = stackalloc Event[8];
        return Math.Max(0, epoll_wait(fd, events, 8, milliseconds));
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Descriptor.Close(fd);

    private bool TryAdd(int descriptor, uint events)
    {
        var e = new Event { Events = events | EdgeTriggered, Data = (ulong)descriptor };
        return epoll_ctl(fd, Add, descriptor, &e) >= 0;
    }

    /// <summary>struct epoll_event, packed on x86-64 only.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Event
    {
        public uint Events;
        public ulong Data;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, Event* e);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, Event* events, int count, int timeout);
}

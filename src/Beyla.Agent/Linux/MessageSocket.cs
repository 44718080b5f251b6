using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Linux;

/// <summary>
/// One end of a pair of sockets that keeps messages apart (unix(7), SOCK_SEQPACKET) and passes file descriptors along with them
/// (SCM_RIGHTS). One thread reads and one writes at a time.
/// </summary>
public sealed unsafe partial class MessageSocket : SafeHandleMinusOneIsInvalid
{
    /// <summary>Descriptors that one message may carry.</summary>
    public const int MaximumDescriptors = 8;

    private const int AF_UNIX = 1, SOCK_SEQPACKET = 5, SOCK_CLOEXEC = 0x80000, SOL_SOCKET = 1, SCM_RIGHTS = 1, SHUT_RDWR = 2;
    private const int MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000, MSG_CTRUNC = 8;
    private const int ControlSize = 16 + (MaximumDescriptors * sizeof(int)); // CMSG_SPACE: a struct cmsghdr and what it carries

    /// <param name="descriptor">A connected socket; closed with this.</param>
    public MessageSocket(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>For poll(2) and for passing it on; it stays this object's.</summary>
    public int FileDescriptor => (int)handle;

    /// <summary>Two ends that are connected to each other.</summary>
    /// <exception cref="KernelException">The kernel gives no descriptors.</exception>
    public static (MessageSocket Own, MessageSocket Other) CreatePair()
    {
        var ends = stackalloc int[2];
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0
            ? throw new KernelException("make a pair of sockets", Marshal.GetLastPInvokeError())
            : (new MessageSocket(ends[0]), new MessageSocket(ends[1]));
    }

    /// <summary>Sends one message, and waits until there is room for it.</summary>
    /// <param name="head">Its first part.</param>
    /// <param name="body">Its second part; may be empty.</param>
    /// <param name="descriptors">What goes along: copies, the caller keeps its own. At most <see cref="MaximumDescriptors"/>.</param>
    /// <returns>0, or the negative errno: -EPIPE when the other end is closed.</returns>
    public int Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, ReadOnlySpan<int> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaximumDescriptors);
        var control = stackalloc byte[ControlSize];
        fixed (byte* first = head, second = body)
        {
            var parts = stackalloc Part[2] { new(first, (nuint)head.Length), new(second, (nuint)body.Length) };
            var message = new Message { Parts = parts, PartCount = body.IsEmpty ? 1u : 2u };
            if (!descriptors.IsEmpty)
            {
                var length = 16 + (descriptors.Length * sizeof(int));
                *(ControlHead*)control = new ControlHead { Length = (nuint)length, Level = SOL_SOCKET, Type = SCM_RIGHTS };
                descriptors.CopyTo(new Span<int>(control + 16, descriptors.Length));
                message.Control = control;
                message.ControlLength = (nuint)length;
            }

            while (sendmsg((int)handle, &message, MSG_NOSIGNAL) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                {
                    return -errno;
                }
            }

            return 0;
        }
    }

    /// <summary>Waits for one message. What does not fit is cut off.</summary>
    /// <param name="target">Takes its bytes.</param>
    /// <param name="descriptors">Takes what came along, which is the caller's then; room for <see cref="MaximumDescriptors"/>.</param>
    /// <param name="count">
    /// How many came. -1 when some did not, since this process may have no more open: those that did were closed.
    /// </param>
    /// <returns>The bytes; 0 when the other end is closed; or the negative errno.</returns>
    public int Receive(Span<byte> target, Span<int> descriptors, out int count)
    {
        count = 0;
        var control = stackalloc byte[ControlSize];
        fixed (byte* first = target)
        {
            var part = new Part(first, (nuint)target.Length);
            nint length;
            Message message;
            do
            {
                message = new Message { Parts = &part, PartCount = 1, Control = control, ControlLength = ControlSize };
                length = recvmsg((int)handle, &message, MSG_CMSG_CLOEXEC);
            }
            while (length < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
            if (length < 0)
            {
                return -Marshal.GetLastPInvokeError();
            }

            count = Take(message, descriptors);
            return (int)length;
        }
    }

    /// <summary>
    /// Ends the connection for both ends (shutdown(2)): who waits at either of them returns as when the other one is closed. Any thread.
    /// </summary>
    public void Shutdown() => _ = shutdown((int)handle, SHUT_RDWR);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Descriptor.Close((int)handle);

    private static int Take(in Message message, Span<int> descriptors)
    {
        var count = 0;
        var head = (ControlHead*)message.Control;
        if (message.ControlLength >= 16 && head->Level == SOL_SOCKET && head->Type == SCM_RIGHTS)
        {
            count = Math.Min((int)(head->Length - 16) / sizeof(int), descriptors.Length);
            new ReadOnlySpan<int>((byte*)head + 16, count).CopyTo(descriptors);
        }

        if ((message.Flags & MSG_CTRUNC) == 0)
        {
            return count;
        }

        foreach (var descriptor in descriptors[..count])
        {
            _ = Descriptor.Close(descriptor);
        }

        return -1;
    }

    /// <summary>struct iovec.</summary>
    private readonly struct Part(byte* start, nuint length)
    {
        public readonly byte* Start = start;
        public readonly nuint Length = length;
    }

    /// <summary>struct cmsghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ControlHead
    {
        public nuint Length;
        public int Level;
        public int Type;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        private readonly void* name;
        private readonly uint nameLength;
        public Part* Parts;
        public nuint PartCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int family, int type, int protocol, int* ends);

    [LibraryImport("libc")]
    private static partial int shutdown(int socket, int how);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int socket, Message* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int socket, Message* message, int flags);
}

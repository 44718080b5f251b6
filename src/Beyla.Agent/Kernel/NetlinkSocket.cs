using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Kernel;

/// <summary>Takes one message of an answer or a notification.</summary>
/// <param name="type">RTM_….</param>
/// <param name="payload">What follows the header.</param>
internal delegate void NetlinkHandler(ushort type, ReadOnlySpan<byte> payload);

/// <summary>
/// A route netlink socket. What it may change is decided by the capabilities at the time it is opened and at the time it sends.
/// </summary>
internal sealed unsafe partial class NetlinkSocket : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>Notifications of interfaces (RTMGRP_LINK).</summary>
    internal const uint LinkGroup = 1;

    /// <summary>Notifications of addresses of interfaces (RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR).</summary>
    internal const uint AddressGroups = 0x10 | 0x100;

    /// <summary>Notifications of queueing disciplines and classifiers (RTMGRP_TC).</summary>
    internal const uint TrafficControlGroup = 8;

    private const int AF_NETLINK = 16, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, SOCK_NONBLOCK = 0x800, NETLINK_ROUTE = 0, ENOBUFS = 105;
    private const ushort Error = 2, Done = 3;

    private readonly byte[] buffer = new byte[64 * 1024];
    private uint sequence;

    /// <param name="groups">Notifications to receive; then reading does not wait.</param>
    internal NetlinkSocket(uint groups = 0)
        : base(ownsHandle: true)
    {
        var fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (groups != 0 ? SOCK_NONBLOCK : 0), NETLINK_ROUTE);
        if (fd < 0)
        {
            throw new KernelException("open a netlink socket", Marshal.GetLastPInvokeError());
        }

        SetHandle(fd);
        var address = new NetlinkAddress { Family = AF_NETLINK, Groups = groups };
        if (bind(fd, &address, sizeof(NetlinkAddress)) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            Dispose();
            throw new KernelException("bind a netlink socket", errno);
        }
    }

    /// <summary>The socket; readable when a notification waits.</summary>
    internal int FileDescriptor => (int)handle;

    /// <summary>Sends a request and waits for its acknowledgement.</summary>
    /// <returns>0, or the errno with which the kernel refused.</returns>
    internal int Request(NetlinkMessage message) => Exchange(message, static (_, _) => { });

    /// <summary>Sends a dump request and hands over every message of the answer.</summary>
    /// <returns>0, or the errno with which the kernel refused.</returns>
    internal int Dump(NetlinkMessage message, NetlinkHandler handler) => Exchange(message, handler);

    /// <summary>Hands over the notifications that wait.</summary>
    /// <returns>False when the kernel had to drop some for want of room: look at everything anew.</returns>
    internal bool ReadNotifications(NetlinkHandler handler)
    {
        var complete = true;
        while (true)
        {
            var length = Receive();
            if (length == -Errno.EAGAIN)
            {
                return complete;
            }

            if (length == -ENOBUFS)
            {
                complete = false;
                continue;
            }

            if (length <= 0)
            {
                return complete;
            }

            _ = Walk(buffer.AsSpan(0, length), 0, handler, out _);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Descriptor.Close((int)handle);

    private int Exchange(NetlinkMessage message, NetlinkHandler handler)
    {
        var number = ++sequence;
        var bytes = message.Finish(number);
        fixed (byte* data = bytes)
        {
            if (send((int)handle, data, (nuint)bytes.Length, 0) < 0)
            {
                return Marshal.GetLastPInvokeError();
            }
        }

        while (true)
        {
            var length = Receive();
            if (length < 0)
            {
                return -length;
            }

            if (Walk(buffer.AsSpan(0, length), number, handler, out var errno))
            {
                return errno;
            }
        }
    }

    /// <summary>Goes through the messages of one datagram; true at the end of the answer.</summary>
    private static bool Walk(ReadOnlySpan<byte> messages, uint number, NetlinkHandler handler, out int errno)
    {
        errno = 0;
        while (messages.Length >= NetlinkMessage.HeaderSize)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(messages);
            if (length < NetlinkMessage.HeaderSize || length > messages.Length)
            {
                break;
            }

            var type = BinaryPrimitives.ReadUInt16LittleEndian(messages[4..]);
            if (BinaryPrimitives.ReadUInt32LittleEndian(messages[8..]) == number || number == 0)
            {
                var payload = messages[NetlinkMessage.HeaderSize..length];
                if (type is Error or Done)
                {
                    errno = payload.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(payload) : 0;
                    return true;
                }

                handler(type, payload);
            }

            messages = messages[Math.Min(NetlinkMessage.Align(length), messages.Length)..];
        }

        return false;
    }

    private int Receive()
    {
        fixed (byte* data = buffer)
        {
            while (true)
            {
                var length = recv((int)handle, data, (nuint)buffer.Length, 0);
                if (length >= 0)
                {
                    return (int)length;
                }

                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                {
                    return -errno;
                }
            }
        }
    }

    /// <summary>struct sockaddr_nl.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct NetlinkAddress
    {
        public ushort Family;
        private readonly ushort padding;
        public uint Process;
        public uint Groups;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int fd, void* address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int fd, void* data, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int fd, void* data, nuint length, int flags);
}

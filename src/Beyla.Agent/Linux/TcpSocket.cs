using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Linux;

/// <summary>
/// A socket of TCP that never waits (tcp(7)): it is made so, since the worker may not change a descriptor later (F_SETFL), as the sockets
/// of .NET would. For one thread that waits for several with <see cref="Poll"/>.
/// </summary>
public sealed unsafe partial class TcpSocket : SafeHandleMinusOneIsInvalid
{
    private const int AF_INET = 2, AF_INET6 = 10, SOCK_STREAM = 1, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000;
    private const int SOL_SOCKET = 1, SO_REUSEADDR = 2, MSG_NOSIGNAL = 0x4000, SHUT_WR = 1;

    private TcpSocket(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>For poll(2).</summary>
    public int FileDescriptor => (int)handle;

    /// <summary>Begins to listen.</summary>
    /// <param name="address">Of this host, or one that stands for all.</param>
    /// <param name="port">0 for any that is free.</param>
    /// <param name="backlog">Connections that may wait.</param>
    /// <exception cref="KernelException">The port is taken or not allowed, the host has no such address.</exception>
    public static TcpSocket Listen(IPAddress address, int port, int backlog)
    {
        var isIPv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        var result = new TcpSocket(socket(isIPv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        try
        {
            // struct sockaddr_in, sockaddr_in6: family, port in network order; then the address, in the latter behind the flow information.
            Span<byte> name = stackalloc byte[28];
            name.Clear();
            BitConverter.TryWriteBytes(name, (ushort)(isIPv6 ? AF_INET6 : AF_INET));
            BinaryPrimitives.WriteUInt16BigEndian(name[2..], (ushort)port);
            _ = address.TryWriteBytes(name[(isIPv6 ? 8 : 4)..], out _);
            var one = 1;
            fixed (byte* first = name)
            {
                if (result.IsInvalid || setsockopt((int)result.handle, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(int)) < 0
                    || bind((int)result.handle, first, isIPv6 ? 28u : 16u) < 0 || listen((int)result.handle, backlog) < 0)
                {
                    throw new KernelException($"listen on {new IPEndPoint(address, port)}", Marshal.GetLastPInvokeError());
                }
            }

            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>The port on which it listens.</summary>
    public int Port
    {
        get
        {
            Span<byte> name = stackalloc byte[28];
            var length = (uint)name.Length;
            fixed (byte* first = name)
            {
                return getsockname((int)handle, first, &length) < 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
            }
        }
    }

    /// <summary>Takes a connection; null when none waits any more.</summary>
    public TcpSocket? Accept()
    {
        var descriptor = accept4((int)handle, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
        return descriptor < 0 ? null : new TcpSocket(descriptor);
    }

    /// <summary>Takes what has come.</summary>
    /// <returns>Bytes; 0 when the other side sends no more; or the negative errno: -EAGAIN when there is nothing.</returns>
    public int Receive(Span<byte> target)
    {
        fixed (byte* first = target)
        {
            return Result(recv((int)handle, first, (nuint)target.Length, 0));
        }
    }

    /// <summary>Sends as much as there is room for.</summary>
    /// <returns>Bytes, or the negative errno: -EAGAIN when there is no room.</returns>
    public int Send(ReadOnlySpan<byte> source)
    {
        fixed (byte* first = source)
        {
            return Result(send((int)handle, first, (nuint)source.Length, MSG_NOSIGNAL));
        }
    }

    /// <summary>Says that no more is sent.</summary>
    public void EndSending() => _ = shutdown((int)handle, SHUT_WR);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => close((int)handle) == 0;

    private static int Result(nint result) => result < 0 ? -Marshal.GetLastPInvokeError() : (int)result;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int descriptor, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int descriptor, byte* name, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(int descriptor, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockname(int descriptor, byte* name, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int descriptor, byte* name, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int descriptor, byte* target, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int descriptor, byte* source, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int shutdown(int descriptor, int how);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Kernel;

/// <summary>
/// A packet socket (packet(7)) on one interface whose filter is an eBPF program. The program accepts no packet, so nothing is ever queued.
/// Closing it detaches the program. Needs CAP_NET_RAW.
/// </summary>
public sealed unsafe partial class PacketSocket : SafeHandleZeroOrMinusOneIsInvalid
{
    private const int AF_PACKET = 17, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, SOL_SOCKET = 1, SO_ATTACH_BPF = 50;
    private const int SOL_PACKET = 263, PACKET_IGNORE_OUTGOING = 23;
    private const ushort ETH_P_ALL = 3;

    private PacketSocket(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>Opens the socket, sets the filter, and only then binds, so that no packet passes unfiltered.</summary>
    /// <param name="program">A loaded socket filter.</param>
    /// <param name="interfaceIndex">The interface.</param>
    /// <param name="ignoreOutgoing">Spares the copy of outgoing packets where only incoming ones are wanted.</param>
    public static PacketSocket Open(BpfProgram program, int interfaceIndex, bool ignoreOutgoing)
    {
        var fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            throw new KernelException(
                "open a packet socket", Marshal.GetLastPInvokeError(),
                Marshal.GetLastPInvokeError() == Errno.EPERM ? "needs CAP_NET_RAW" : "");
        }

        var result = new PacketSocket(fd);
        try
        {
            var filter = program.FileDescriptor;
            Check(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof(int)), "set the filter of a packet socket");
            var one = 1;
            if (ignoreOutgoing)
            {
                _ = setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(int)); // before 4.20 the program leaves them out
            }

            var address = new LinkLayerAddress
            {
                Family = AF_PACKET,
                Protocol = BinaryPrimitives.ReverseEndianness(ETH_P_ALL),
                Interface = interfaceIndex,
            };
            Check(bind(fd, &address, sizeof(LinkLayerAddress)), "bind a packet socket");
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Descriptor.Close((int)handle);

    private static void Check(int result, string operation)
    {
        if (result < 0)
        {
            throw new KernelException(operation, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>struct sockaddr_ll.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LinkLayerAddress
    {
        public ushort Family;
        public ushort Protocol;
        public int Interface;
        private readonly ushort hardwareType;
        private readonly byte packetType;
        private readonly byte length;
        private readonly ulong hardwareAddress;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int option, void* value, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int fd, void* address, int length);
}

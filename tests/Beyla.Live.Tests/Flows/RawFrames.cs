using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Beyla.Live.Tests.Flows;

/// <summary>Sends frames as they are on an interface of the calling thread's namespace.</summary>
internal static unsafe partial class RawFrames
{
    public static void Send(string interfaceName, byte[] frame, int count) => SendMany(interfaceName, count, _ => frame);

    /// <param name="interfaceName">Where.</param>
    /// <param name="count">How many.</param>
    /// <param name="make">The frame of each.</param>
    /// <param name="protocol">What the kernel is told that they are: an EtherType; 3 for "look" (ETH_P_ALL).</param>
    public static void SendMany(string interfaceName, int count, Func<int, byte[]> make, ushort protocol = 3)
    {
        int index = int.Parse(File.ReadAllText("/proc/thread-self/net/dev_mcast").Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .First(fields => fields.Length > 1 && fields[1] == interfaceName)[0], CultureInfo.InvariantCulture);
        int fd = Socket(17, 3, 0);
        byte* address = stackalloc byte[20];
        new Span<byte>(address, 20).Clear();
        *(ushort*)address = 17;
        *(ushort*)(address + 2) = BinaryPrimitives.ReverseEndianness(protocol);
        *(int*)(address + 4) = index;
        try
        {
            for (int i = 0; i < count; i++)
            {
                byte[] frame = make(i);
                fixed (byte* data = frame)
                {
                    if (SendTo(fd, data, (nuint)frame.Length, 0, address, 20) != frame.Length)
                    {
                        throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
                    }
                }
            }
        }
        finally
        {
            _ = Close(fd);
        }
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    private static partial nint SendTo(int fd, byte* data, nuint length, int flags, byte* address, int addressLength);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}

using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// Bytes that a socket sent and that no event told of yet, since they have no content to show (bpf/sockets.h, PASSED;
/// bpf/include/passed.h), mapped into this process. The next event of the connection tells of them as well; here they can be found before.
/// </summary>
public sealed unsafe class PassedMap : IDisposable
{
    /// <summary>Elements of the map (bpf/sockets.h, PASSED).</summary>
    public const int Places = 65536;

    private static readonly nuint Length = (nuint)(Places * sizeof(Passed));

    private readonly Passed* passed;

    /// <param name="map">The loaded map <c>passed</c>.</param>
    public PassedMap(BpfMap map)
        : this(map.FileDescriptor)
    {
    }

    /// <param name="descriptor">What to map: the map's descriptor, or memory of that size, which then stands for the kernel's side.</param>
    public PassedMap(int descriptor)
    {
        passed = (Passed*)SharedMemory.Map(descriptor, 0, Length, SharedMemory.Read);
        if (passed == null)
        {
            throw new KernelException("map the passed bytes", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>What a connection has sent behind a place of its stream.</summary>
    /// <param name="connection">Its identity, from an event.</param>
    /// <param name="known">Sequence number up to which everything is known.</param>
    /// <param name="until">Sequence number behind what was sent.</param>
    /// <param name="time">When the last of it was sent; CLOCK_MONOTONIC in nanoseconds.</param>
    /// <returns>False when there is nothing, or when an event that is still to be read comes before it.</returns>
    public bool TryRead(ulong connection, uint known, out uint until, out long time)
    {
        var place = &passed[(connection >> 8) & (Places - 1)];
        until = Volatile.Read(ref place->Until);
        time = (long)Volatile.Read(ref place->Time);
        return place->Connection == connection && (int)(Volatile.Read(ref place->From) - known) <= 0 && (int)(until - known) > 0;
    }

    /// <summary>Gives the mapping back.</summary>
    public void Dispose() => SharedMemory.Unmap(passed, Length);

    /// <summary>struct passed (bpf/sockets.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Passed
    {
        public ulong Connection;
        public ulong Time;
        public uint From;
        public uint Until;
    }
}

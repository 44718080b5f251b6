using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// What this side says to the protocol of a connection (bpf/sockets.h, VERDICTS; bpf/include/verdict.h), mapped into this process: a memory
/// write, so it needs no system call and no capability. The kernel side takes it at one of the next changes of direction. Two connections
/// can share a place: a word may get lost, and has to be said again when events go on to disagree.
/// </summary>
public sealed unsafe class VerdictMap : IDisposable
{
    /// <summary>Elements of the map (bpf/sockets.h, VERDICTS).</summary>
    public const int Places = 65536;

    private const nuint Length = Places * sizeof(ulong);

    private readonly ulong* verdicts;

    /// <param name="map">The loaded map <c>verdicts</c>.</param>
    public VerdictMap(BpfMap map)
        : this(map.FileDescriptor)
    {
    }

    /// <param name="descriptor">What to map: the map's descriptor, or memory of that size, which then stands for the kernel's side.</param>
    public VerdictMap(int descriptor)
    {
        verdicts = (ulong*)SharedMemory.Map(descriptor, 0, Length, SharedMemory.Read | SharedMemory.Write);
        if (verdicts == null)
        {
            throw new KernelException("map the verdicts", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Says which protocol a connection speaks; a word that is not taken yet is replaced.</summary>
    /// <param name="connection">Its identity, from an event.</param>
    /// <param name="protocol">The protocol; <see cref="ProtocolId.None"/> has the kernel side begin to recognise again.</param>
    public void Set(ulong connection, ProtocolId protocol) =>
        Volatile.Write(ref verdicts[(connection >> 8) & (Places - 1)], (connection << 8) | (byte)protocol);

    /// <summary>Gives the mapping back.</summary>
    public void Dispose() => SharedMemory.Unmap(verdicts, Length);
}

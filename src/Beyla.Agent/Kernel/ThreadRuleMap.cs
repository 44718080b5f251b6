using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// Processes in which the thread that reads a request is not the one that works on it alone (bpf/include/wire.h, THREAD_RULES), mapped into
/// this process: their calls are put below no request by the kernel side. A memory write, so it needs no system call and no capability.
/// </summary>
public sealed unsafe class ThreadRuleMap : IDisposable
{
    /// <summary>Bits in the map (bpf/include/wire.h, THREAD_RULES): processes whose numbers differ by a multiple of it share one.</summary>
    public const int Places = 65536;

    private const nuint Length = Places / 8;

    private readonly ulong* words;

    /// <param name="map">The loaded map <c>thread_rules</c>.</param>
    public ThreadRuleMap(BpfMap map)
        : this(map.FileDescriptor)
    {
    }

    /// <param name="descriptor">What to map: the map's descriptor, or memory of that size, which then stands for the kernel's side.</param>
    public ThreadRuleMap(int descriptor)
    {
        words = (ulong*)SharedMemory.Map(descriptor, 0, Length, SharedMemory.Read | SharedMemory.Write);
        if (words == null)
        {
            throw new KernelException("map the thread rules", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>The threads of a process say nothing about its calls.</summary>
    /// <param name="pid">Thread group id in the initial pid namespace.</param>
    public void Forbid(int pid) => Interlocked.Or(ref WordOf(pid), 1UL << pid);

    /// <summary>Takes back <see cref="Forbid"/>: the process has ended, or another program runs in it.</summary>
    public void Allow(int pid) => Interlocked.And(ref WordOf(pid), ~(1UL << pid));

    /// <summary>Whether it is forbidden.</summary>
    public bool IsForbidden(int pid) => (Volatile.Read(ref WordOf(pid)) >> pid & 1) != 0;

    /// <summary>Gives the mapping back.</summary>
    public void Dispose() => SharedMemory.Unmap(words, Length);

    private ref ulong WordOf(int pid) => ref words[(pid & (Places - 1)) / 64];
}

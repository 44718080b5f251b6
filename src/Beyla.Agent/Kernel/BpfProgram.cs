using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>A program of a <see cref="BpfObject"/>; lives as long as that object.</summary>
public sealed class BpfProgram
{
    private readonly BpfObject owner;

    /// <param name="owner">Keeps the pointer valid.</param>
    /// <param name="pointer">libbpf's struct bpf_program.</param>
    /// <param name="name">Name of its function.</param>
    internal BpfProgram(BpfObject owner, nint pointer, string name)
    {
        this.owner = owner;
        Pointer = pointer;
        Name = name;
    }

    /// <summary>The function's name in the source.</summary>
    public string Name { get; }

    /// <summary>libbpf's struct bpf_program.</summary>
    internal nint Pointer { get; }

    /// <summary>The file descriptor, valid after the object is loaded.</summary>
    public int FileDescriptor => Libbpf.bpf_program__fd(Pointer);

    /// <summary>
    /// Calls that the kernel left out because the program was running on that processor already: in a task that was
    /// preempted, or below an interrupt (bpf_prog_info.recursion_misses). What they would have reported is lost.
    /// </summary>
    public unsafe long Missed
    {
        get
        {
            Info info = default;
            var length = (uint)sizeof(Info);
            var result = Libbpf.bpf_obj_get_info_by_fd(FileDescriptor, &info, &length);
            GC.KeepAlive(owner);
            return result < 0 ? throw new KernelException($"read the counters of program {Name}", -result) : (long)info.RecursionMisses;
        }
    }

    /// <summary>Says how it will be attached, where its section does not; before the object is loaded.</summary>
    /// <param name="type">enum bpf_attach_type (linux/bpf.h).</param>
    public void SetAttachType(int type)
    {
        var result = Libbpf.bpf_program__set_expected_attach_type(Pointer, type);
        GC.KeepAlive(owner);
        if (result < 0)
        {
            throw new KernelException($"set how program {Name} is attached", -result);
        }
    }

    /// <summary>
    /// Attaches the program to what its section names (tp_btf, fentry, fexit, iter). The kernel detaches it when the
    /// link or this process goes.
    /// </summary>
    public BpfLink Attach()
    {
        LibbpfLog.Begin();
        var link = Libbpf.bpf_program__attach(Pointer);
        var errno = Marshal.GetLastPInvokeError();
        GC.KeepAlive(owner);
        return link == 0 ? throw BpfObject.Failure($"attach program {Name}", errno) : new BpfLink(owner, link);
    }

    /// <summary>struct bpf_prog_info up to what is read of it (linux/bpf.h); its layout is part of the kernel's interface.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 216)]
    internal struct Info
    {
        /// <summary>recursion_misses: calls that were left out; since Linux 5.12, before it zero.</summary>
        [FieldOffset(208)]
        public ulong RecursionMisses;
    }
}

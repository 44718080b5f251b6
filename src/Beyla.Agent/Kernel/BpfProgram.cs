using System.Runtime.InteropServices;

namespace Beyla.Agent.Kernel;

/// <summary>A program of a <see cref="BpfObject"/>; lives as long as that object.</summary>
public sealed class BpfProgram
{
    private readonly BpfObject owner;

    internal BpfProgram(BpfObject owner, nint pointer, string name)
    {
        this.owner = owner;
        Pointer = pointer;
        Name = name;
    }

    /// <summary>The function's name in the source.</summary>
    public string Name { get; }

    internal nint Pointer { get; }

    /// <summary>The file descriptor, valid after the object is loaded.</summary>
    public int FileDescriptor => Libbpf.bpf_program__fd(Pointer);

    /// <summary>Attaches the program to what its section names (tp_btf, fentry, fexit, iter). The kernel detaches it when the link or this process goes.</summary>
    public BpfLink Attach()
    {
        LibbpfLog.Begin();
        var link = Libbpf.bpf_program__attach(Pointer);
        var errno = Marshal.GetLastPInvokeError();
        GC.KeepAlive(owner);
        return link == 0 ? throw BpfObject.Failure($"attach program {Name}", errno) : new BpfLink(owner, link);
    }
}

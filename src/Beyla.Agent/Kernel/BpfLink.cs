using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Kernel;

/// <summary>An attached program; disposing it detaches. Keeps the object of the program alive.</summary>
public sealed class BpfLink : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly BpfObject owner;

    /// <param name="owner">The object of the program; held until the link is released.</param>
    /// <param name="link">libbpf's struct bpf_link, which this one frees.</param>
    internal BpfLink(BpfObject owner, nint link)
        : base(ownsHandle: true)
    {
        var added = false;
        owner.DangerousAddRef(ref added);
        this.owner = owner;
        SetHandle(link);
    }

    /// <summary>The file descriptor of the link.</summary>
    public int FileDescriptor => Libbpf.bpf_link__fd(handle);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        var result = Libbpf.bpf_link__destroy(handle);
        owner.DangerousRelease();
        return result >= 0;
    }
}

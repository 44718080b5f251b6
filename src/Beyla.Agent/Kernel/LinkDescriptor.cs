using Beyla.Agent.Linux;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Kernel;

/// <summary>
/// The descriptor of a BPF link that was made without libbpf's own object for it. The kernel takes the program off when the descriptor is
/// closed or this process ends, however it ends.
/// </summary>
public abstract class LinkDescriptor : SafeHandleZeroOrMinusOneIsInvalid
{
    private protected LinkDescriptor(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Descriptor.Close((int)handle);
}

using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>Runs an iterator program that keeps what it finds in maps and prints nothing (Documentation/bpf/bpf_iterators.rst).</summary>
public sealed unsafe partial class BpfIterator : IDisposable
{
    private readonly BpfLink link;

    /// <param name="program">A loaded iterator.</param>
    public BpfIterator(BpfProgram program) => link = program.Attach();

    /// <summary>Walks once over everything.</summary>
    /// <exception cref="KernelException">The iterator was refused.</exception>
    public void Run()
    {
        var fd = Libbpf.bpf_iter_create(link.FileDescriptor);
        if (fd < 0)
        {
            throw new KernelException("open an iterator", -fd);
        }

        var buffer = stackalloc byte[256];
        // EAGAIN: the kernel paused in a long walk to let others run.
        while (read(fd, buffer, 256) is var length
            && (length > 0 || (length < 0 && Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR)))
        {
        }

        _ = Descriptor.Close(fd);
    }

    /// <inheritdoc/>
    public void Dispose() => link.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, void* buffer, nuint count);
}

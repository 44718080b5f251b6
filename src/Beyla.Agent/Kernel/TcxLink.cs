using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// A classifier attached by a BPF link in front of the others of an interface (tcx, Linux 6.6). The kernel detaches it when this process
/// ends, however it ends. Needs CAP_NET_ADMIN.
/// </summary>
public sealed unsafe partial class TcxLink : LinkDescriptor
{
    private const int TcxIngress = 46, TcxEgress = 47; // enum bpf_attach_type, linux/bpf.h
    private const uint Before = 1 << 3; // BPF_F_BEFORE

    private TcxLink(int fd)
        : base(fd)
    {
    }

    /// <summary>Attaches; <see cref="Linux.Errno.EINVAL"/> means that the kernel has no tcx.</summary>
    /// <param name="program">A loaded classifier.</param>
    /// <param name="interfaceIndex">The interface.</param>
    /// <param name="egress">Outgoing packets, else incoming ones.</param>
    public static TcxLink Attach(BpfProgram program, int interfaceIndex, bool egress)
    {
        var options = new TcxOptions { Size = (nuint)sizeof(TcxOptions), Flags = Before };
        var fd = Libbpf.bpf_link_create(program.FileDescriptor, interfaceIndex, egress ? TcxEgress : TcxIngress, &options);
        return fd < 0 ? throw new KernelException($"attach program {program.Name} by tcx", -fd) : new TcxLink(fd);
    }

    /// <summary>struct bpf_link_create_opts, first fields (bpf/bpf.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TcxOptions
    {
        public nuint Size;
        public uint Flags;
        private readonly void* iterator;
        private readonly uint iteratorLength;
        private readonly uint target;
    }
}

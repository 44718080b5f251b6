using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// A socket operations program attached to a control group by a BPF link (Linux 5.7), beside those of others. The kernel detaches it when
/// this process ends, however it ends. Needs CAP_NET_ADMIN and CAP_BPF.
/// </summary>
public sealed unsafe partial class CgroupLink : LinkDescriptor
{
    private const int SocketOperations = 3; // BPF_CGROUP_SOCK_OPS, enum bpf_attach_type, linux/bpf.h
    private const int O_DIRECTORY = 0x10000, O_CLOEXEC = 0x80000; // asm-generic/fcntl.h, O_RDONLY is 0

    private CgroupLink(int fd)
        : base(fd)
    {
    }

    /// <summary>Attaches.</summary>
    /// <param name="program">A loaded program of the kind sockops.</param>
    /// <param name="directory">The control group, in a mounted hierarchy of the second version.</param>
    /// <exception cref="KernelException"><see cref="Errno.EPERM"/>: the capability is missing, or another program is attached there, or
    /// above, that allows no second one.</exception>
    public static CgroupLink Attach(BpfProgram program, string directory)
    {
        var group = open(directory, O_DIRECTORY | O_CLOEXEC);
        if (group < 0)
        {
            throw new KernelException($"open control group {directory}", Marshal.GetLastPInvokeError());
        }

        var fd = Libbpf.bpf_link_create(program.FileDescriptor, group, SocketOperations, null);
        _ = Descriptor.Close(group);
        return fd < 0 ? throw new KernelException($"attach program {program.Name} to control group {directory}", -fd) : new CgroupLink(fd);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);
}

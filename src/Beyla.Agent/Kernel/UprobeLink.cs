using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// A program that runs when an instruction of a file is executed, in whichever process (uprobe_multi, Linux 6.6). The kernel takes it off
/// when this process ends, however it ends.
/// </summary>
public sealed unsafe partial class UprobeLink : LinkDescriptor
{
    /// <summary>enum bpf_attach_type, BPF_TRACE_UPROBE_MULTI; said of a program before it is loaded.</summary>
    internal const int AttachType = 48;

    // asm/unistd_64.h, enum bpf_cmd.
    private const nint SYS_bpf = 321;
    private const int BPF_LINK_CREATE = 28;

    private UprobeLink(int fd)
        : base(fd)
    {
    }

    /// <summary>Attaches; <see cref="Errno.EINVAL"/> means that the kernel has no uprobe_multi.</summary>
    /// <param name="program">A loaded program of <see cref="AttachType"/>.</param>
    /// <param name="path">The file; a link of /proc names one that has no path here.</param>
    /// <param name="offset">Where in the file the instruction begins. In the middle of one it would break the program.</param>
    public static UprobeLink Attach(BpfProgram program, string path, long offset)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0"))
        {
            var place = (ulong)offset;
            var attributes = new LinkCreate
            {
                Program = program.FileDescriptor, AttachType = AttachType, Path = (ulong)name, Offsets = (ulong)&place, Count = 1,
            };
            var fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, (uint)sizeof(LinkCreate));
            return fd < 0
                ? throw new KernelException($"attach program {program.Name} by uprobe_multi", Marshal.GetLastPInvokeError())
                : new UprobeLink(fd);
        }
    }

    /// <summary>union bpf_attr, link_create with uprobe_multi (linux/bpf.h). What the kernel has beyond is zero.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LinkCreate
    {
        public int Program;
        public int Target;
        public int AttachType;
        public uint Flags;
        public ulong Path;
        public ulong Offsets;
        public ulong ReferenceCounters;
        public ulong Cookies;
        public uint Count;
        public uint ProbeFlags;
        public uint Pid;
        private readonly uint padding;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, int command, LinkCreate* attributes, uint size);
}

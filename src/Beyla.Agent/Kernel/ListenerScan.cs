using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// Asks the kernel which processes hold listening TCP sockets, in all network namespaces, by a BPF iterator over open files
/// (Documentation/bpf/bpf_iterators.rst). Needs CAP_BPF and CAP_PERFMON where /proc/PID/fd would need CAP_SYS_PTRACE
/// and CAP_DAC_READ_SEARCH.
/// </summary>
public sealed unsafe partial class ListenerScan
{
    private const int TraceIterator = 28; // BPF_TRACE_ITER, linux/bpf.h

    private readonly BpfProgram program;

    /// <param name="program">The loaded iterator over the sockets of processes (bpf/watcher.bpf.c, listeners).</param>
    internal ListenerScan(BpfProgram program) => this.program = program;

    /// <summary>Reports each listening socket as an event of kind Listening.</summary>
    /// <param name="pid">One process, or 0 for all of them. Kernels before 6.1 always scan all.</param>
    /// <param name="sink">Called for each socket.</param>
    /// <exception cref="KernelException">The iterator was refused.</exception>
    public void Scan(int pid, IProcessEventSink sink)
    {
        var iterator = Open(pid);
        if (iterator < 0)
        {
            return;
        }

        try
        {
            Read(iterator, pid, sink);
        }
        finally
        {
            _ = Descriptor.Close(iterator);
        }
    }

    /// <summary>An iterator to be read once by <see cref="Read"/>, which takes no capability.</summary>
    /// <param name="pid">As for <see cref="Scan"/>.</param>
    /// <returns>A file descriptor that the caller closes; -ESRCH when the process is gone.</returns>
    /// <exception cref="KernelException">The iterator was refused.</exception>
    public int Open(int pid)
    {
        var info = new IteratorInfo { Pid = (uint)pid };
        var options = new IteratorOptions
        {
            Size = (nuint)sizeof(IteratorOptions),
            Iterator = &info,
            IteratorLength = (uint)sizeof(IteratorInfo),
        };
        var link = Libbpf.bpf_link_create(program.FileDescriptor, 0, TraceIterator, pid == 0 ? null : &options);
        if (link < 0)
        {
            // The process may be gone already: nothing listens there.
            return pid != 0 && link is -Errno.ESRCH or -Errno.ENOENT
                ? -Errno.ESRCH : throw new KernelException("start the scan for listening sockets", -link);
        }

        // The iterator keeps the program, and the process that it walks through.
        var iterator = Libbpf.bpf_iter_create(link);
        _ = Descriptor.Close(link);
        return iterator < 0 ? throw new KernelException("open the scan for listening sockets", -iterator) : iterator;
    }

    /// <summary>Reads an iterator to its end.</summary>
    /// <param name="iterator">From <see cref="Open"/>.</param>
    /// <param name="pid">The process it is for, or 0.</param>
    /// <param name="sink">Called for each socket.</param>
    /// <exception cref="KernelException">It cannot be read.</exception>
    public static void Read(int iterator, int pid, IProcessEventSink sink)
    {
        const int batch = 32;
        var events = stackalloc ProcessEvent[batch];
        var filled = 0;
        while (true)
        {
            var n = read(iterator, (byte*)events + filled, (nuint)((batch * sizeof(ProcessEvent)) - filled));
            if (n < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno is Errno.EINTR or Errno.EAGAIN)
                {
                    continue;
                }

                throw new KernelException("read the scan for listening sockets", errno);
            }

            if (n == 0)
            {
                return;
            }

            filled += (int)n;
            var complete = filled / sizeof(ProcessEvent);
            for (var i = 0; i < complete; i++)
            {
                if (pid == 0 || events[i].Pid == pid)
                {
                    sink.OnProcessEvent(in events[i]);
                }
            }

            filled -= complete * sizeof(ProcessEvent);
            Buffer.MemoryCopy(events + complete, events, filled, filled);
        }
    }

    /// <summary>union bpf_iter_link_info, member task.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct IteratorInfo
    {
        public uint Tid;
        public uint Pid;
        public uint PidFd;
        private readonly uint padding;
    }

    /// <summary>struct bpf_link_create_opts, first fields (bpf/bpf.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct IteratorOptions
    {
        public nuint Size;
        public uint Flags;
        public IteratorInfo* Iterator;
        public uint IteratorLength;
        public uint TargetBtfId;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, void* buffer, nuint count);
}

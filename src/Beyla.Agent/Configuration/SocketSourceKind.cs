namespace Beyla.Agent.Configuration;

/// <summary>Ways to see socket operations, best first (bpf/sockets.bpf.c).</summary>
public enum SocketSourceKind
{
    /// <summary>The first of the others that this kernel takes.</summary>
    Auto = 0,

    /// <summary>TCP tracepoints: needs a kernel of about 6.16. Sees io_uring.</summary>
    Tracepoints,

    /// <summary>Entry and return of the function that sends, in place of the send tracepoint. Sees io_uring.</summary>
    Fentry,

    /// <summary>The return of system calls. Blind for io_uring, and every system call of the host pays for it.</summary>
    Syscalls,
}

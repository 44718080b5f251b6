using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Loader;

/// <summary>
/// The one line of what libbpf and the verifier print that an error message carries. The logs are those of libbpf 1.1 on 6.18.
/// </summary>
public class LibbpfLogTests
{
    [Theory]
    [InlineData(
        """
        libbpf: prog 'on_send_function': BPF program load failed: Operation not permitted
        libbpf: permission error while running as root; try raising 'ulimit -l'? current value: 8.0 MiB
        libbpf: prog 'on_send_function': failed to load: -1
        libbpf: failed to load object 'sockets'

        """,
        "prog 'on_send_function': BPF program load failed: Operation not permitted")]
    [InlineData(
        """
        libbpf: prog 'on_send_tracepoint': BPF program load failed: Permission denied
        libbpf: prog 'on_send_tracepoint': -- BEGIN PROG LOAD LOG --
        0: R1=ctx() R10=fp0
        ; int BPF_PROG(on_send_tracepoint, struct sock *sk, struct msghdr *message) @ sockets.bpf.c:262
        0: (79) r6 = *(u64 *)(r1 +8)
        math between map_value pointer and register with unbounded min value is not allowed
        R2 max value is outside of the allowed memory range
        verification time 1234 usec
        stack depth 176+0+0
        processed 231 insns (limit 1000000) max_states_per_insn 1 total_states 14 peak_states 14 mark_read 10
        -- END PROG LOAD LOG --
        libbpf: prog 'on_send_tracepoint': failed to load: -13
        libbpf: failed to load object 'sockets'

        """,
        "R2 max value is outside of the allowed memory range")]
    [InlineData(
        """
        libbpf: prog 'on_state': relo #3: failed to resolve CO-RE relocation <byte_off> [71] struct sock.sk_flags (0:2 @ offset 64)
        libbpf: prog 'on_state': failed to relocate data references: -22
        libbpf: failed to load object 'sockets'
        """,
        "prog 'on_state': failed to relocate data references: -22")]
    [InlineData("", "")]
    public void The_line_that_says_why(string log, string expected) => Assert.Equal(expected, LibbpfLog.LastMeaningfulLine(log));
}

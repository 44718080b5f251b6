using System.Buffers.Binary;
using Beyla.Agent.Linux.SystemCalls;

namespace Beyla.Agent.Tests.Linux.SystemCalls;

/// <summary>
/// Runs a filter as the kernel does (Documentation/networking/filter.rst; for system calls kernel/seccomp.c): one accumulator, jumps
/// forward only, loads of aligned words of <c>struct seccomp_data</c>. Written from the documents, for the instructions that
/// seccomp_check_filter lets pass and these programs use.
/// </summary>
internal static class FilterMachine
{
    /// <summary>AUDIT_ARCH_X86_64 and AUDIT_ARCH_I386 (include/uapi/linux/audit.h).</summary>
    public const uint X86_64 = 0xC000003E, I386 = 0x40000003;

    /// <returns>What the program returns: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with a number, or SECCOMP_RET_KILL_PROCESS.</returns>
    public static uint Run(IReadOnlyList<FilterInstruction> program, uint number, uint architecture, params ulong[] arguments)
    {
        var data = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), architecture);
        for (var i = 0; i < arguments.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16 + (8 * i)), arguments[i]);
        }

        uint accumulator = 0;
        for (var at = 0; ; at++)
        {
            var step = program[at];
            switch (step.Code)
            {
                case 0x00 | 0x00 | 0x20: // BPF_LD | BPF_W | BPF_ABS
                    Assert.True(step.Value % 4 == 0 && step.Value < 64);
                    accumulator = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)step.Value));
                    break;
                case 0x04 | 0x50: // BPF_ALU | BPF_AND | BPF_K
                    accumulator &= step.Value;
                    break;
                case 0x05 | 0x10: // BPF_JMP | BPF_JEQ | BPF_K
                    at += accumulator == step.Value ? step.True : step.False;
                    break;
                case 0x05 | 0x30: // BPF_JMP | BPF_JGE | BPF_K
                    at += accumulator >= step.Value ? step.True : step.False;
                    break;
                case 0x06: // BPF_RET | BPF_K
                    return step.Value;
                default:
                    throw new InvalidOperationException($"instruction {at}: code 0x{step.Code:x} is not one of a filter");
            }
        }
    }
}

using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux.SystemCalls;

/// <summary>One instruction of classic BPF (include/uapi/linux/filter.h, <c>struct sock_filter</c>).</summary>
/// <param name="Code">Class, size or operation, and source (include/uapi/linux/bpf_common.h).</param>
/// <param name="True">Instructions to pass over when a comparison holds.</param>
/// <param name="False">The same when it does not.</param>
/// <param name="Value">The constant.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FilterInstruction(ushort Code, byte True, byte False, uint Value);

/// <summary>
/// Makes the program that the kernel runs before each system call. It reads <c>struct seccomp_data</c> (include/uapi/linux/seccomp.h): the
/// number at 0, the architecture at 4, the arguments from 16 on, eight bytes each.
/// </summary>
internal static class FilterProgram
{
    // BPF_LD | BPF_W | BPF_ABS, BPF_ALU | BPF_AND | BPF_K, BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JGE | BPF_K, BPF_RET | BPF_K
    internal const ushort Load = 0x20, And = 0x54, Equal = 0x15, NotBelow = 0x35, Return = 0x06;

    // include/uapi/linux/seccomp.h, SECCOMP_RET_*
    internal const uint KillProcess = 0x80000000, Error = 0x00050000, Allowed = 0x7FFF0000;

    // include/uapi/linux/audit.h; arch/x86/include/uapi/asm/unistd.h
    internal const uint Architecture = 0xC000003E, X32Bit = 0x40000000;

    internal const int NumberOffset = 0, ArchitectureOffset = 4, ArgumentsOffset = 16;

    private const int ENOSYS = 38;

    /// <summary>
    /// The first number of the calls that all architectures share, since 5.1. What came so late has a way without it in every library,
    /// which is taken upon ENOSYS; upon EPERM it may not be.
    /// </summary>
    internal const int FirstLate = 424;

    /// <summary>The program for these rules. A call that has none fails: see <see cref="FirstLate"/>.</summary>
    public static FilterInstruction[] Make(IReadOnlyList<SystemCallRule> rules)
    {
        List<FilterInstruction> program =
        [
            new(Load, 0, 0, ArchitectureOffset),
            new(Equal, 1, 0, Architecture),
            new(Return, 0, 0, KillProcess),
            new(Load, 0, 0, NumberOffset),

            // The other numbers of the same architecture, which a table of these would not know.
            new(NotBelow, 0, 1, X32Bit),
            new(Return, 0, 0, KillProcess),
        ];
        foreach (var rule in rules)
        {
            var body = Body(rule);
            program.Add(new(Equal, 0, checked((byte)body.Count), (uint)rule.Number));
            program.AddRange(body);
        }

        program.Add(new(NotBelow, 0, 1, FirstLate));
        program.Add(new(Return, 0, 0, Error | ENOSYS));
        program.Add(new(Return, 0, 0, Error | Errno.EPERM));
        return [.. program];
    }

    /// <summary>What follows the number of a call; it always returns.</summary>
    private static List<FilterInstruction> Body(SystemCallRule rule)
    {
        if (rule.Verdict == Verdict.Kill)
        {
            return [new(Return, 0, 0, KillProcess)];
        }

        if (rule.Ways.Count == 0)
        {
            return [new(Return, 0, 0, Allowed)];
        }

        const uint Refused = Error | Errno.EPERM;
        var (answer, otherwise) = rule.Verdict == Verdict.Allow ? (Allowed, Refused) : (Refused, Allowed);
        List<FilterInstruction> body = [];
        foreach (var way in rule.Ways)
        {
            body.AddRange(Way(way, answer));
        }

        body.Add(new(Return, 0, 0, otherwise));
        return body;
    }

    /// <summary>Returns the answer where all tests hold, and else goes on behind its end.</summary>
    private static List<FilterInstruction> Way(ArgumentTest[] tests, uint answer)
    {
        List<FilterInstruction> way = [];
        foreach (var test in tests)
        {
            // An argument is two words here, the low one first (x86-64).
            for (var word = 0; word < 2; word++)
            {
                var mask = (uint)(test.Mask >> (32 * word));
                if (mask == 0)
                {
                    continue;
                }

                way.Add(new(Load, 0, 0, (uint)(ArgumentsOffset + (8 * test.Argument) + (4 * word))));
                if (mask != uint.MaxValue)
                {
                    way.Add(new(And, 0, 0, mask));
                }

                way.Add(new(Equal, 0, 0, (uint)(test.Value >> (32 * word))));
            }
        }

        way.Add(new(Return, 0, 0, answer));
        for (var i = 0; i < way.Count; i++)
        {
            if (way[i].Code == Equal)
            {
                way[i] = way[i] with { False = checked((byte)(way.Count - i - 1)) };
            }
        }

        return way;
    }
}

using System.Buffers.Binary;

namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>
/// What the first instructions of a function say (x86-64, as Go's compiler and assembler write them). A probe is set only on an
/// instruction that was recognised: in the middle of one it would break the program.
/// </summary>
internal static class GoCode
{
    /// <summary>Bytes that are looked at.</summary>
    internal const int Size = 48;

    /// <summary>
    /// Where the check of the stack jumps, from the beginning of the function: there all arguments are still in their registers, and the
    /// kernel runs the jump itself, where it would have to step over the instructions before it. -1: the function does not begin so.
    /// </summary>
    internal static int JumpOfStackCheck(ReadOnlySpan<byte> code)
    {
        // lea -frame(%rsp),%r12 in front, for frames that are not small.
        var at = code.StartsWith((ReadOnlySpan<byte>)[0x4c, 0x8d, 0xa4, 0x24]) ? 8
            : code.StartsWith((ReadOnlySpan<byte>)[0x4c, 0x8d, 0x64, 0x24]) ? 5 : 0;
        if (code.Length < at + 6)
        {
            return -1;
        }

        // cmp 0x10(%r14),%r12 or, for small frames, %rsp: g.stackguard0.
        var compared = code[at..];
        if (!compared[1..].StartsWith((ReadOnlySpan<byte>)[0x3b, 0x66, 0x10]) || compared[0] != (at == 0 ? 0x49 : 0x4d))
        {
            return -1;
        }

        // jbe to the end of the function, near or short.
        at += 4;
        return code[at] == 0x76 || (code[at] == 0x0f && code[at + 1] == 0x86) ? at : -1;
    }

    /// <summary>
    /// From the thread pointer to the pointer to the struct g, as runtime.morestack reads it first: <c>mov %fs:slot,%reg</c>. 0: not so.
    /// </summary>
    internal static int SlotOf(ReadOnlySpan<byte> code)
    {
        if (code.Length < 9 || code[0] != 0x64 || (code[1] & 0xfb) != 0x48 || code[2] != 0x8b || (code[3] & 0xc7) != 0x04
            || code[4] != 0x25)
        {
            return 0;
        }

        var slot = BinaryPrimitives.ReadInt32LittleEndian(code[5..]);
        return slot is < 0 and > -1024 * 1024 ? slot : 0;
    }
}

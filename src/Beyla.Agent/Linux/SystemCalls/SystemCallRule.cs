namespace Beyla.Agent.Linux.SystemCalls;

/// <summary>What happens to a system call.</summary>
internal enum Verdict
{
    /// <summary>It is done.</summary>
    Allow,

    /// <summary>It is done, except where all tests of one way hold: then it is refused.</summary>
    AllowExcept,

    /// <summary>It ends the process: only somebody who steers the worker calls it.</summary>
    Kill,
}

/// <summary>What an argument must be: all 64 bits of it, of which those in the mask are compared.</summary>
/// <param name="Argument">Which, from 0.</param>
/// <param name="Mask">The bits that count. The kernel reads no more of an <c>int</c> than its 32.</param>
/// <param name="Value">What they must be.</param>
internal readonly record struct ArgumentTest(int Argument, ulong Mask, ulong Value);

/// <summary>One system call of the filter.</summary>
/// <param name="Name">Its name in the kernel's table (arch/x86/entry/syscalls/syscall_64.tbl).</param>
/// <param name="Number">Its number there.</param>
/// <param name="Verdict">What happens to it.</param>
/// <param name="Ways">
/// For <see cref="Verdict.Allow"/>: it is done where all tests of one way hold, else refused. No way at all: always. For
/// <see cref="Verdict.AllowExcept"/> the other way round.
/// </param>
internal sealed record SystemCallRule(string Name, int Number, Verdict Verdict, IReadOnlyList<ArgumentTest[]> Ways);

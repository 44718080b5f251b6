namespace Beyla.Agent.Linux;

/// <summary>A call into the kernel or libbpf that did not succeed.</summary>
public sealed class KernelException : Exception
{
    /// <summary>
    /// Makes the message out of operation, error and evidence: <c>load program on_send: EPERM (Operation not permitted): ...</c>
    /// </summary>
    public KernelException(string operation, int errno, string evidence = "", string log = "")
        : base(evidence.Length == 0
            ? $"{operation}: {Linux.Errno.Describe(errno)}"
            : $"{operation}: {Linux.Errno.Describe(errno)}: {evidence}")
    {
        Operation = operation;
        Errno = errno;
        Evidence = evidence;
        Log = log;
    }

    /// <summary>What was tried, as a plain verb: <c>load program on_send</c>.</summary>
    public string Operation { get; }

    /// <summary>The positive error number of the call.</summary>
    public int Errno { get; }

    /// <summary>
    /// The last meaningful line of the verifier or of libbpf; no more than the program's name where the kernel said nothing, which with
    /// EPERM means policy or capability.
    /// </summary>
    public string Evidence { get; }

    /// <summary>The whole log, for level debug.</summary>
    public string Log { get; }
}

namespace Beyla.Agent.Processes;

/// <summary>
/// One system call on a file of /proc, for <see cref="IProcPrivilege"/> to make: of a closed list, and on the stack, as the keeper makes
/// it for each question and takes no memory for that.
/// </summary>
public readonly ref struct ProcCall
{
    private readonly Kind kind;
    private readonly ReadOnlySpan<byte> path;
    private readonly Span<byte> target;
    private readonly int file;

    private ProcCall(Kind kind, ReadOnlySpan<byte> path, Span<byte> target, int file = -1)
    {
        this.kind = kind;
        this.path = path;
        this.target = target;
        this.file = file;
    }

    private enum Kind
    {
        Open,
        OpenName,
        ReadLink,
        Read,
    }

    /// <summary>As <see cref="ProcCalls.Open"/>.</summary>
    internal static ProcCall Open(ReadOnlySpan<byte> path) => new(Kind.Open, path, default);

    /// <summary>As <see cref="ProcCalls.OpenName"/>.</summary>
    internal static ProcCall OpenName(ReadOnlySpan<byte> path) => new(Kind.OpenName, path, default);

    /// <summary>As <see cref="ProcCalls.ReadLink"/>.</summary>
    internal static ProcCall ReadLink(ReadOnlySpan<byte> path, Span<byte> target) => new(Kind.ReadLink, path, target);

    /// <summary>As <see cref="ProcCalls.Read"/>: of a file that asks for the right whenever it is read.</summary>
    internal static ProcCall Read(int file, Span<byte> target) => new(Kind.Read, default, target, file);

    /// <summary>Makes it.</summary>
    /// <returns>What the call returned, or the negative errno.</returns>
    public int Make() => kind switch
    {
        Kind.Open => ProcCalls.Open(path),
        Kind.OpenName => ProcCalls.OpenName(path),
        Kind.Read => ProcCalls.Read(file, target),
        _ => ProcCalls.ReadLink(path, target),
    };
}

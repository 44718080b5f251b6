using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>The first bytes of a stream that were seen.</summary>
public readonly ref struct Opening
{
    /// <summary>What came until now, up to 64 bytes or more.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>Bytes of the operations, captured or not.</summary>
    public long Length { get; init; }

    /// <summary>The direction of the bytes.</summary>
    public SocketDirection Direction { get; init; }

    /// <summary>The connection began while it was watched: nothing was sent before in either direction.</summary>
    public bool IsFresh { get; init; }
}

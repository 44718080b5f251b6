using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>The first bytes of one direction of a connection, as far as they were seen. A protocol judges by them.</summary>
public readonly ref struct Opening
{
    /// <summary>
    /// The first bytes: at least those that came until now, as long as they are fewer than <see cref="Undecided.MaxBytes"/>.
    /// </summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>
    /// Bytes that were moved, not less than there are in <see cref="Data"/>. If there are more, those after it are not visible here and no
    /// longer wait will make them so: <see cref="Confirmation.Undecided"/> then means no.
    /// </summary>
    public long Length { get; init; }

    /// <summary>
    /// The first bytes of the other direction, as far as they wait, too: at most <see cref="Undecided.MaxBytes"/>. Empty at a first look.
    /// </summary>
    public ReadOnlySpan<byte> Other { get; init; }

    /// <summary>The direction of the bytes.</summary>
    public SocketDirection Direction { get; init; }

    /// <summary>The socket came from a listening one: this side serves, as far as TCP can tell.</summary>
    public bool IsAccepted { get; init; }

    /// <summary>The connection began while it was watched: nothing was sent before, in either direction.</summary>
    public bool IsFresh { get; init; }

    /// <summary>
    /// The connection is known to speak the protocol that is asked, and nothing is open on it: only bytes that cannot begin a message are
    /// to be turned down.
    /// </summary>
    public bool IsKnown { get; init; }
}

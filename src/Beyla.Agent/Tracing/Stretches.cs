using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// What was captured of an operation, stretch by stretch: the first bytes, then those of each <see cref="SocketPiece"/> with the bytes
/// between them by number only. A last piece that ends where the operation ends, and is not known to begin with a frame, is the tail of the
/// stretch before it.
/// </summary>
internal ref struct Stretches
{
    private ReadOnlySpan<byte> rest;
    private readonly uint unwalked;
    private long left;
    private int next, pieces;
    private bool isAligned;

    /// <summary>The stretches of an operation that <see cref="TryMeasure"/> has found right.</summary>
    /// <param name="e">The operation.</param>
    /// <param name="data">What follows the event in its record.</param>
    public Stretches(scoped in SocketEvent e, ReadOnlySpan<byte> data)
    {
        next = e.Captured;
        isAligned = (e.Flags & SocketEventFlags.Aligned) != 0;
        rest = data;
        left = e.Length;
        pieces = e.Pieces;
        unwalked = e.Unwalked;
    }

    /// <summary>Adds up what an event says of its bytes.</summary>
    /// <param name="e">The event.</param>
    /// <param name="data">What follows the event in its record.</param>
    /// <param name="covered">Bytes of the operation up to the end of the last stretch.</param>
    /// <returns>Whether all stretches lie in the record.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryMeasure(in SocketEvent e, ReadOnlySpan<byte> data, out long covered)
    {
        covered = e.Captured;
        return e.Captured <= data.Length && (e.Pieces == 0 || TryMeasurePieces(in e, data, ref covered));
    }

    private static bool TryMeasurePieces(in SocketEvent e, ReadOnlySpan<byte> data, ref long covered)
    {

        data = data[e.Captured..];
        for (var i = 0; i < e.Pieces; i++)
        {
            if (data.Length < Unsafe.SizeOf<SocketPiece>())
            {
                return false;
            }

            var piece = MemoryMarshal.Read<SocketPiece>(data);
            data = data[Unsafe.SizeOf<SocketPiece>()..];
            var length = (int)(piece.Length & ~SocketPiece.Aligned);
            if (length > data.Length)
            {
                return false;
            }

            data = data[length..];
            covered += (long)piece.Gap + length;
        }

        return true;
    }

    /// <summary>The next stretch.</summary>
    /// <param name="segment">Gets its bytes, those that passed after it, and the tail.</param>
    /// <returns>False when there is none.</returns>
    public bool TryNext(scoped ref Segment segment)
    {
        if (left == 0)
        {
            return false;
        }

        segment.Data = rest[..next];
        segment.Tail = default;
        segment.IsAligned = isAligned;
        rest = rest[next..];
        left -= next;
        segment.Unseen = left;
        segment.Unwalked = 0;
        if (pieces == 0)
        {
            segment.Unwalked = unwalked;
            left = 0;
            return true;
        }

        pieces--;
        var piece = MemoryMarshal.Read<SocketPiece>(rest);
        rest = rest[Unsafe.SizeOf<SocketPiece>()..];
        next = (int)(piece.Length & ~SocketPiece.Aligned);
        isAligned = (piece.Length & SocketPiece.Aligned) != 0;
        if (pieces == 0 && !isAligned && piece.Gap + (long)next == left)
        {
            segment.Tail = rest[..next];
            segment.Unwalked = unwalked;
            segment.Skip(0);
            left = 0;
        }
        else
        {
            segment.Unseen = piece.Gap;
            left -= piece.Gap;
        }

        return true;
    }
}

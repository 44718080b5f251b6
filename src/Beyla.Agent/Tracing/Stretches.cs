using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// What was captured of an operation, stretch by stretch: the first bytes, then those of each <see cref="SocketPiece"/> with the bytes
/// between them by number only. A last piece that ends where the operation ends is the tail of the stretch before it.
/// </summary>
internal ref struct Stretches
{
    private readonly int captured;
    private ReadOnlySpan<byte> rest;
    private SocketPiece next;
    private long left;
    private int pieces;
    private bool isBegun;

    /// <summary>The stretches of an operation that <see cref="TryMeasure"/> has found right.</summary>
    /// <param name="e">The operation.</param>
    /// <param name="data">What follows the event in its record.</param>
    public Stretches(in SocketEvent e, ReadOnlySpan<byte> data)
    {
        captured = e.Captured;
        rest = data;
        left = e.Length;
        pieces = e.Pieces;
    }

    /// <summary>Adds up what an event says of its bytes.</summary>
    /// <param name="e">The event.</param>
    /// <param name="data">What follows the event in its record.</param>
    /// <param name="covered">Bytes of the operation up to the end of the last stretch.</param>
    /// <returns>Whether all stretches lie in the record.</returns>
    public static bool TryMeasure(in SocketEvent e, ReadOnlySpan<byte> data, out long covered)
    {
        covered = e.Captured;
        if (e.Captured > data.Length)
        {
            return false;
        }

        data = data[e.Captured..];
        for (var i = 0; i < e.Pieces; i++)
        {
            if (data.Length < Unsafe.SizeOf<SocketPiece>())
            {
                return false;
            }

            var piece = MemoryMarshal.Read<SocketPiece>(data);
            data = data[Unsafe.SizeOf<SocketPiece>()..];
            if (piece.Length > data.Length)
            {
                return false;
            }

            data = data[(int)piece.Length..];
            covered += (long)piece.Gap + piece.Length;
        }

        return true;
    }

    /// <summary>The next stretch.</summary>
    /// <param name="segment">Gets its bytes, those that passed after it, and the tail.</param>
    /// <returns>False when there is none.</returns>
    public bool TryNext(scoped ref Segment segment)
    {
        if (!isBegun)
        {
            isBegun = true;
            Take(captured, out var first);
            Fill(ref segment, first);
            return true;
        }

        if (left == 0)
        {
            return false;
        }

        Take((int)next.Length, out var data);
        Fill(ref segment, data);
        return true;
    }

    private void Fill(ref Segment segment, ReadOnlySpan<byte> data)
    {
        segment.Data = data;
        segment.Tail = default;
        segment.Unseen = left;
        if (pieces == 0)
        {
            left = 0;
            return;
        }

        pieces--;
        next = MemoryMarshal.Read<SocketPiece>(rest);
        rest = rest[Unsafe.SizeOf<SocketPiece>()..];
        if (pieces == 0 && (long)next.Gap + next.Length == left)
        {
            segment.Tail = rest[..(int)next.Length];
            segment.Skip(0);
            left = 0;
            return;
        }

        segment.Unseen = next.Gap;
        left -= next.Gap;
    }

    private void Take(int length, out ReadOnlySpan<byte> data)
    {
        data = rest[..length];
        rest = rest[length..];
        left -= length;
    }
}

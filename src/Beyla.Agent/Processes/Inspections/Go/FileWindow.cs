using System.Buffers;

namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>
/// A stretch of a file that is read piece by piece. What lies outside of it, beyond the end of the file or beyond the budget is not there.
/// </summary>
internal sealed class FileWindow : IDisposable
{
    private const int Size = 64 * 1024;

    private readonly int file;
    private readonly long start, length;
    private readonly InspectionBudget budget;
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(Size);
    private long from;
    private int held;

    /// <param name="file">An open file.</param>
    /// <param name="start">Where in the file the stretch begins.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="budget">What may still be read.</param>
    internal FileWindow(int file, long start, long length, InspectionBudget budget) =>
        (this.file, this.start, this.length, this.budget) = (file, Math.Max(0, start), Math.Max(0, length), budget);

    /// <summary>So many bytes of the stretch; false when they are not there. Valid until the next call.</summary>
    /// <param name="offset">From the beginning of the stretch.</param>
    /// <param name="size">At most 4,096.</param>
    /// <param name="bytes">The bytes.</param>
    internal bool TryGet(long offset, int size, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (offset < 0 || offset > length - size)
        {
            return false;
        }

        if ((offset < from || offset + size > from + held) && !Move(offset))
        {
            return false;
        }

        if (offset + size > from + held)
        {
            return false;
        }

        bytes = buffer.AsSpan((int)(offset - from), size);
        return true;
    }

    /// <summary>Where a text stands in the stretch, or -1.</summary>
    /// <param name="text">At most 4,096 bytes.</param>
    internal long Find(ReadOnlySpan<byte> text)
    {
        for (long at = 0; at <= length - text.Length; at += held - text.Length + 1)
        {
            if (!Move(at) || held < text.Length)
            {
                return -1;
            }

            var found = buffer.AsSpan(0, held).IndexOf(text);
            if (found >= 0)
            {
                return at + found;
            }
        }

        return -1;
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

    private bool Move(long offset)
    {
        var wanted = (int)Math.Min(Size, length - offset);
        held = Math.Max(0, ProcCalls.ReadAt(file, buffer.AsSpan(0, wanted), start + offset));
        from = offset;
        return budget.TrySpend(wanted) && held > 0;
    }
}

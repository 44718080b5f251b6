using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary>Writes one span as text of one kind. One thread; does not allocate per span.</summary>
public interface ISpanFormat
{
    /// <summary>Writes the whole record with its line feed.</summary>
    /// <param name="exported">The span.</param>
    /// <param name="line">Has room for <see cref="SpanLimits.Line"/> bytes.</param>
    void Write(in ExportedSpan exported, ref LineWriter line);
}

/// <summary>Formats each span right where it is written from. The output counts (place <c>printer</c>).</summary>
public sealed class SpanPrinter(ISpanFormat format, OutputQueue output) : IExportSink
{
    private byte[]? scratch;
    private OutputBlock? block;

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        block ??= output.Borrow();
        if (block is not null && block.Free.Length >= SpanLimits.Line)
        {
            var line = new LineWriter(block.Free);
            format.Write(in span, ref line);
            block.Commit(line.Position, OutputRecord.Span);
        }
        else
        {
            Append(in span);
        }
    }

    /// <inheritdoc/>
    public void Flush() => GiveBack(isFull: false);

    /// <summary>Near the end of a block, which a short line may still fit into, or without one.</summary>
    private void Append(in ExportedSpan span)
    {
        scratch ??= new byte[SpanLimits.Line];
        var line = new LineWriter(scratch);
        format.Write(in span, ref line);
        if (block is not null && !block.TryAdd(line.Written, OutputRecord.Span))
        {
            GiveBack(isFull: true);
            block = output.Borrow();
        }
        else if (block is not null)
        {
            return;
        }

        if (block is null || !block.TryAdd(line.Written, OutputRecord.Span))
        {
            output.Refuse(OutputRecord.Span);
        }
    }

    private void GiveBack(bool isFull)
    {
        if (block is not null)
        {
            output.GiveBack(block, isFull);
            block = null;
        }
    }
}

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

/// <summary>Formats each span and puts it into the output. The output counts (place <c>printer</c>).</summary>
public sealed class SpanPrinter(ISpanFormat format, OutputQueue output) : IExportSink
{
    private readonly byte[] buffer = new byte[SpanLimits.Line];

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span)
    {
        var line = new LineWriter(buffer);
        format.Write(in span, ref line);
        _ = output.Append(line.Written, OutputRecord.Span);
    }
}

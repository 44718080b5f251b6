namespace Beyla.Agent.Export.Otlp;

/// <summary>An export request that is encoded and waits, or is on its way.</summary>
/// <param name="body">Of <see cref="BatchBuffers"/>; given back by <see cref="Release"/>.</param>
/// <param name="length">Bytes of the request.</param>
/// <param name="items">Spans or data points in it.</param>
public sealed class OtlpBatch(byte[] body, int length, int items)
{
    /// <summary>The request: ExportTraceServiceRequest or ExportMetricsServiceRequest.</summary>
    public ReadOnlyMemory<byte> Body { get; } = body.AsMemory(0, length);

    /// <summary>Spans or data points in it.</summary>
    public int Items { get; } = items;

    /// <summary>The memory that it takes.</summary>
    public int Room => body.Length;

    /// <summary>It is not needed any more.</summary>
    public void Release() => BatchBuffers.PutBack(body);
}

using System.Buffers.Binary;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Writes what a point of a histogram has of its own: a HistogramDataPoint or an ExponentialHistogramDataPoint
/// (opentelemetry/proto/metrics/v1/metrics.proto). One thread, under the lock of the store.
/// </summary>
internal sealed class HistogramEncoder
{
    private ExponentialBuckets? difference; // kept for its memory

    /// <summary>Buckets with bounds.</summary>
    /// <param name="series">The series.</param>
    /// <param name="sent">What the point counts from; null for the beginning.</param>
    /// <param name="since">The time of the first exemplars that belong to it, microseconds since 1970 (UTC).</param>
    /// <param name="writer">Where to.</param>
    public static void Explicit(Series series, SentValues? sent, long since, ProtobufWriter writer)
    {
        var (counts, before, buckets) = (series.Counts!, sent?.Counts, series.Family.Definition.Buckets!);
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        CountAndSum(series, sent, writer);
        writer.Head(6, counts.Length * sizeof(ulong));
        for (var i = 0; i < counts.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, counts[i] - (before is null ? 0 : before[i]));
            writer.Raw(number);
        }

        writer.Head(7, buckets.Bounds.Count * sizeof(double));
        foreach (var bound in buckets.Bounds)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(number, bound);
            writer.Raw(number);
        }

        Exemplars(series, 8, since, writer);
    }

    /// <summary>
    /// Exponential buckets. A point that counts from the one before has the scale of now: what was sent may have been finer, and is made as
    /// coarse.
    /// </summary>
    /// <inheritdoc cref="Explicit"/>
    public void Exponential(Series series, SentValues? sent, long since, ProtobufWriter writer)
    {
        var buckets = series.Exponential!;
        if (sent?.Exponential is { } before)
        {
            difference ??= buckets.Like();
            difference.Take(buckets);
            difference.Subtract(before);
            buckets = difference;
        }

        CountAndSum(series, sent, writer);
        writer.Signed(6, buckets.Scale);
        writer.Fixed(7, (ulong)buckets.Zeros);
        if (!buckets.Counts.IsEmpty)
        {
            var positive = writer.Begin(8);
            writer.Signed(1, buckets.Offset);
            var counts = writer.Begin(2);
            foreach (var count in buckets.Counts)
            {
                writer.Varint((ulong)count);
            }

            writer.End(counts);
            writer.End(positive);
        }

        Exemplars(series, 11, since, writer);
    }

    private static void CountAndSum(Series series, SentValues? sent, ProtobufWriter writer)
    {
        writer.Fixed(4, (ulong)(series.Count - (sent?.Count ?? 0)));
        writer.Double(5, (series.Sum - (sent?.Sum ?? 0)) / (double)series.Family.Definition.Buckets!.Scale);
    }

    private static void Exemplars(Series series, int field, long since, ProtobufWriter writer)
    {
        foreach (ref readonly var exemplar in series.Exemplars.AsSpan())
        {
            if (exemplar.Exists && exemplar.Time >= since)
            {
                Write(in exemplar, field, series.Family.Definition.Buckets!.Scale, writer);
            }
        }
    }

    private static void Write(in Exemplar exemplar, int field, double scale, ProtobufWriter writer)
    {
        Span<byte> identity = stackalloc byte[16];
        var message = writer.Begin(field);
        writer.Fixed(2, (ulong)exemplar.Time * 1000);
        writer.Double(3, exemplar.Measured / scale);
        BinaryPrimitives.WriteUInt64BigEndian(identity, exemplar.SpanId);
        writer.Blob(4, identity[..8]);
        BinaryPrimitives.WriteUInt64BigEndian(identity, exemplar.TraceHigh);
        BinaryPrimitives.WriteUInt64BigEndian(identity[8..], exemplar.TraceLow);
        writer.Blob(5, identity);
        writer.End(message);
    }
}

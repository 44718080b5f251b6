using System.Buffers.Binary;
using Beyla.Agent.Configuration;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// One stream of measurements: a metric, a resource, and the values of the attributes. Read and written under the store's lock.
/// </summary>
public sealed class Series
{
    /// <summary>More than the flags of a trace can be.</summary>
    private const int None = byte.MaxValue + 1;

    private readonly byte[] key;
    private readonly int wantedFlags;

    internal Series(
        MetricFamily family, MetricResource resource, ReadOnlySpan<byte> key, ulong hash, long start, MetricStoreOptions options)
    {
        (Family, Resource, Hash, Start) = (family, resource, hash, start);
        this.key = key.ToArray();
        if (family.Definition.Buckets is { } buckets)
        {
            var count = buckets.Bounds.Count + 1;
            Counts = options.Exponential is null || options.IsRead ? new long[count] : null;
            Exponential = options.Exponential is { } own ? new ExponentialBuckets(own.MaxSize, own.MaxScale) : null;
            Exemplars = options.Exemplars == ExemplarFilter.AlwaysOff ? null : new Exemplar[count];
            wantedFlags = options.Exemplars switch
            {
                ExemplarFilter.AlwaysOff => None,
                // Only traces that somebody keeps are worth pointing at.
                ExemplarFilter.TraceBased => TraceContext.Sampled,
                _ => 0,
            };
        }
    }

    /// <summary>Its metric.</summary>
    public MetricFamily Family { get; }

    /// <summary>Whose it is.</summary>
    public MetricResource Resource { get; }

    /// <summary>From when on it counts, in microseconds since 1970 (UTC).</summary>
    public long Start { get; }

    /// <summary>
    /// The value, or the sum of what was measured, in measured units (<see cref="Metrics.Buckets.Scale"/>,
    /// <see cref="MetricDefinition.Scale"/>).
    /// </summary>
    public long Sum { get; private set; }

    /// <summary>How many measurements.</summary>
    public long Count { get; private set; }

    /// <summary>
    /// Measurements in each bucket alone, the one above all bounds last; null where it is no histogram, or only an exponential one.
    /// </summary>
    public long[]? Counts { get; }

    /// <summary>The same in exponential buckets; null where nobody asked for those.</summary>
    public ExponentialBuckets? Exponential { get; }

    /// <summary>
    /// One for each of the buckets with bounds, also where only exponential ones are counted: few, and of the whole range. Null where none
    /// are kept.
    /// </summary>
    public Exemplar[]? Exemplars { get; }

    /// <summary>Whether it holds what found no room of its own: its one attribute is otel.metric.overflow.</summary>
    public bool IsOverflow => ReferenceEquals(Family.Overflow, this);

    /// <summary>Room for what an exporter has made of the attributes once.</summary>
    public byte[]? Text { get; set; }

    /// <summary>What it had when it was sent last; null where nobody remembers that, or it was not sent.</summary>
    internal SentValues? Sent { get; set; }

    /// <summary>When it last changed, as the store's clock.</summary>
    internal long LastSeen { get; set; }

    internal ulong Hash { get; }

    internal ReadOnlySpan<byte> Key => key;

    /// <summary>The value of an attribute, as captured: untrusted, unescaped; empty when it has none.</summary>
    /// <param name="attribute">Its place in the definition.</param>
    public ReadOnlySpan<byte> Value(int attribute)
    {
        var rest = key.AsSpan();
        while (!rest.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            rest = rest[sizeof(ushort)..];
            if (attribute-- == 0)
            {
                return rest[..length];
            }

            rest = rest[length..];
        }

        return default;
    }

    /// <summary>Adds to a counter.</summary>
    internal void Add(long count)
    {
        Sum += count;
        Count++;
    }

    /// <summary>Sets what is no counter.</summary>
    internal void Set(long value) => (Sum, Count) = (value, 1);

    /// <summary>Counts a measurement of a histogram.</summary>
    internal void Observe(long measured, in TraceContext context, long time)
    {
        Sum += measured;
        Count++;
        if (Exponential is not null)
        {
            ObserveExponential(measured, in context, time);
            return;
        }

        var bucket = Family.Definition.Buckets!.IndexOf(measured);
        Counts![bucket]++;
        if ((context.Flags & wantedFlags) == wantedFlags)
        {
            Exemplars![bucket].Set(in context, measured, time);
        }
    }

    private void ObserveExponential(long measured, in TraceContext context, long time)
    {
        var buckets = Family.Definition.Buckets!;
        Exponential!.Add(measured / (double)buckets.Scale);
        var isExemplar = (context.Flags & wantedFlags) == wantedFlags;
        if (Counts is null && !isExemplar)
        {
            return;
        }

        var bucket = buckets.IndexOf(measured);
        if (Counts is not null)
        {
            Counts[bucket]++;
        }

        if (isExemplar)
        {
            Exemplars![bucket].Set(in context, measured, time);
        }
    }
}

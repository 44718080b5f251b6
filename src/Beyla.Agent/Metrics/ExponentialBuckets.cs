using System.Numerics;

namespace Beyla.Agent.Metrics;

/// <summary>
/// How many measurements fell into each bucket of an exponential histogram (OpenTelemetry specification, "Metrics Data Model"): buckets as
/// fine as the number of them allows, and once values lie too far apart half as fine, as often as it takes. Nothing measured is below zero.
/// Under the lock of the store.
/// </summary>
/// <param name="maxSize">Buckets at most; two are always enough for what is measured.</param>
/// <param name="maxScale">The scale before the first value.</param>
public sealed class ExponentialBuckets(int maxSize, int maxScale)
{
    private const int LeastRoom = 4;

    private long[] counts = []; // all zero behind length
    private int length;

    /// <summary>The base is 2^(2^-Scale), see <see cref="ExponentialIndex"/>.</summary>
    public int Scale { get; private set; } = maxScale;

    /// <summary>How many measurements were zero.</summary>
    public long Zeros { get; private set; }

    /// <summary>The index of the first of <see cref="Counts"/>.</summary>
    public int Offset { get; private set; }

    /// <summary>Measurements of each bucket from the first to the last that has some.</summary>
    public ReadOnlySpan<long> Counts => counts.AsSpan(0, length);

    /// <summary>For how many buckets there is memory.</summary>
    internal int Capacity => counts.Length;

    /// <summary>Counts a measurement.</summary>
    /// <param name="value">In the unit of the metric.</param>
    internal void Add(double value)
    {
        if (!(value > 0))
        {
            Zeros++;
            return;
        }

        var at = ExponentialIndex.Of(value, Scale) - Offset;
        if ((uint)at >= (uint)length)
        {
            at = Reach(at + Offset); // which changes the array
        }

        counts[at]++;
    }

    /// <summary>An empty one with room for the same.</summary>
    internal ExponentialBuckets Like() => new(maxSize, Scale);

    /// <summary>Makes this the same as another.</summary>
    internal void Take(ExponentialBuckets other)
    {
        counts.AsSpan(0, length).Clear();
        Reserve(other.length);
        other.Counts.CopyTo(counts);
        (length, Offset, Scale, Zeros) = (other.length, other.Offset, other.Scale, other.Zeros);
    }

    /// <summary>Takes away what there was before: a state of the same histogram, whose buckets were as fine or finer.</summary>
    internal void Subtract(ExponentialBuckets before)
    {
        Zeros -= before.Zeros;
        var finer = before.Scale - Scale;
        for (var i = 0; i < before.length; i++)
        {
            counts[((before.Offset + i) >> finer) - Offset] -= before.counts[i];
        }

        while (length > 0 && counts[length - 1] == 0)
        {
            length--;
        }

        var first = Counts.IndexOfAnyExcept(0);
        if (first > 0)
        {
            counts.AsSpan(first, length - first).CopyTo(counts);
            counts.AsSpan(length - first, first).Clear();
            (Offset, length) = (Offset + first, length - first);
        }
    }

    /// <summary>Makes room for a bucket beside those that there are.</summary>
    /// <returns>Its place.</returns>
    private int Reach(int index)
    {
        var (first, last) = length == 0 ? (index, index) : (Math.Min(Offset, index), Math.Max(Offset + length - 1, index));
        var coarser = 0;
        while ((last >> coarser) - (first >> coarser) >= maxSize)
        {
            coarser++;
        }

        if (coarser > 0)
        {
            Merge(coarser);
            (index, first, last) = (index >> coarser, first >> coarser, last >> coarser);
        }

        Reserve(last - first + 1);
        if (length > 0 && first < Offset)
        {
            var before = Offset - first;
            counts.AsSpan(0, length).CopyTo(counts.AsSpan(before));
            counts.AsSpan(0, before).Clear();
        }

        (Offset, length) = (first, last - first + 1);
        return index - first;
    }

    /// <summary>Adds up neighbours: 2^coarser buckets become one, and their bounds are those of the coarser scale.</summary>
    private void Merge(int coarser)
    {
        var first = Offset >> coarser;
        for (var i = 0; i < length; i++)
        {
            var count = counts[i];
            counts[i] = 0;
            counts[((Offset + i) >> coarser) - first] += count; // never behind the one that it comes from
        }

        length = length == 0 ? 0 : ((Offset + length - 1) >> coarser) - first + 1;
        (Offset, Scale) = (first, Scale - coarser);
    }

    private void Reserve(int buckets)
    {
        if (counts.Length < buckets)
        {
            Array.Resize(ref counts, Math.Min(maxSize, Math.Max(LeastRoom, (int)BitOperations.RoundUpToPowerOf2((uint)buckets))));
        }
    }
}

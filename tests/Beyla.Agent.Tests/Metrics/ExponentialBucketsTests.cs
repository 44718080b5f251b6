using Beyla.Agent.Metrics;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>
/// Buckets of an exponential histogram (OpenTelemetry specification, "Base2 Exponential Bucket Histogram Aggregation"): never more than
/// allowed, as fine as that allows, and none of the measurements is lost when they are merged.
/// </summary>
public sealed class ExponentialBucketsTests
{
    /// <summary>By hand: at scale 0 the values 1/2, 1, 2, 4, 16 are in buckets -2, -1, 0, 1, 3; half as fine is the index halved.</summary>
    [Theory]
    [InlineData(4, "2 4 1", 0, -1, "1 1 1")]
    [InlineData(4, "4 4 4 2 16 1", -1, -1, "1 4 1")]
    [InlineData(2, "1 2 4", -1, -1, "1 2")]
    [InlineData(2, "4 1 2", -1, -1, "1 2")]
    [InlineData(2, "1 0.5 2", -1, -1, "2 1")]
    [InlineData(2, "0.5 1", 0, -2, "1 1")]
    [InlineData(160, "1 1 1", 20, -1, "3")]
    [InlineData(160, "", 20, 0, "")]
    [InlineData(160, "0 0", 20, 0, "")]
    public void Neighbours_are_merged_when_there_are_too_many(int maxSize, string values, int scale, int offset, string counts)
    {
        double[] all = [.. values.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static value =>
            double.Parse(value, System.Globalization.CultureInfo.InvariantCulture))];
        var buckets = Fill(new ExponentialBuckets(maxSize, 20), all);
        Assert.Equal((scale, offset, counts), (buckets.Scale, buckets.Offset, string.Join(' ', buckets.Counts.ToArray())));
        Assert.Equal(all.Count(static value => value == 0), buckets.Zeros);
    }

    [Theory]
    [InlineData(2, 20)]
    [InlineData(3, 20)]
    [InlineData(7, 4)]
    [InlineData(20, 0)]
    [InlineData(20, -3)]
    [InlineData(160, 20)]
    [InlineData(160, 6)]
    [InlineData(1024, 20)]
    public void Buckets_are_as_many_and_as_fine_as_allowed_and_have_what_was_measured(int maxSize, int maxScale)
    {
        var random = new Random(maxSize * 100 + maxScale);
        for (var decades = 0; decades <= 12; decades++)
        {
            var values = Values(random, decades, 500);
            var buckets = new ExponentialBuckets(maxSize, maxScale);
            for (var i = 0; i < values.Length; i++)
            {
                buckets.Add(values[i]);
                if (i < 30 || i % 50 == 0)
                {
                    AssertIs(buckets, values.AsSpan(0, i + 1), maxSize, maxScale);
                }
            }
        }
    }

    /// <summary>A microsecond to eleven days, and bytes as far as a whole number goes, fit into two buckets.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(160)]
    public void The_widest_range_fits(int maxSize)
    {
        double[] values = [1e-6, 1e6, 1, long.MaxValue, 1e-3, 0];
        var buckets = Fill(new ExponentialBuckets(maxSize, 20), values);
        AssertIs(buckets, values, maxSize, 20);
        Assert.InRange(buckets.Capacity, 1, maxSize);
    }

    [Fact]
    public void Memory_comes_with_the_first_value_and_grows_with_the_range_alone()
    {
        var buckets = new ExponentialBuckets(160, 20);
        buckets.Add(0);
        Assert.Equal(0, buckets.Capacity);
        buckets.Add(0.25);
        Assert.InRange(buckets.Capacity, 1, 8);
        var values = Values(new Random(1), 12, 100_000);
        Fill(buckets, values);
        Assert.Equal(160, buckets.Capacity);
        Assert.Equal(0, Allocation.Least(_ => Fill(buckets, values)));
    }

    /// <summary>The difference of two states is what was measured between them, also where the later one is coarser.</summary>
    [Fact]
    public void What_came_since_a_state_is_the_difference_to_it()
    {
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var maxSize = random.Next(2, 200);
            var earlier = Values(random, random.Next(0, 4), random.Next(0, 30));
            var later = Values(random, random.Next(0, 13), random.Next(0, 30));
            var buckets = Fill(new ExponentialBuckets(maxSize, 20), earlier);
            var sent = buckets.Like();
            sent.Take(buckets);
            Fill(buckets, later);
            var difference = Fill(buckets.Like(), Values(random, 3, 10)); // what it had goes
            difference.Take(buckets);
            difference.Subtract(sent);

            Assert.Equal(buckets.Scale, difference.Scale);
            AssertCounts(difference, later);
            Assert.True(difference.Counts.IsEmpty || (difference.Counts[0] > 0 && difference.Counts[^1] > 0));
            AssertCounts(buckets, [.. earlier, .. later]); // as it was
        }
    }

    private static ExponentialBuckets Fill(ExponentialBuckets buckets, double[] values)
    {
        foreach (var value in values)
        {
            buckets.Add(value);
        }

        return buckets;
    }

    /// <summary>Durations in seconds, so many powers of ten apart at most; some are zero.</summary>
    private static double[] Values(Random random, int decades, int count) => [.. Enumerable.Range(0, count).Select(_ =>
        random.Next(20) == 0 ? 0 : (long)(Math.Pow(10, random.NextDouble() * decades) * (decades < 6 ? 1000 : 1)) / 1e6)];

    private static void AssertIs(ExponentialBuckets buckets, ReadOnlySpan<double> values, int maxSize, int maxScale)
    {
        AssertCounts(buckets, values);
        Assert.InRange(buckets.Counts.Length, 0, maxSize);
        Assert.InRange(buckets.Capacity, 0, maxSize);
        if (buckets.Scale < maxScale)
        {
            var (least, most) = (int.MaxValue, int.MinValue);
            foreach (var value in values)
            {
                if (value > 0)
                {
                    var index = ExponentialIndex.Of(value, buckets.Scale + 1);
                    (least, most) = (Math.Min(least, index), Math.Max(most, index));
                }
            }

            Assert.True(most - least >= maxSize, "coarser than it has to be");
        }
    }

    private static void AssertCounts(ExponentialBuckets buckets, ReadOnlySpan<double> values)
    {
        var expected = new Dictionary<int, long>();
        var zeros = 0L;
        foreach (var value in values)
        {
            if (value == 0)
            {
                zeros++;
            }
            else
            {
                var index = ExponentialIndex.Of(value, buckets.Scale);
                expected[index] = expected.GetValueOrDefault(index) + 1;
            }
        }

        Assert.Equal(zeros, buckets.Zeros);
        var found = new Dictionary<int, long>();
        for (var i = 0; i < buckets.Counts.Length; i++)
        {
            if (buckets.Counts[i] != 0)
            {
                found.Add(buckets.Offset + i, buckets.Counts[i]);
            }
        }

        Assert.Equal(expected.OrderBy(static pair => pair.Key), found.OrderBy(static pair => pair.Key));
    }
}

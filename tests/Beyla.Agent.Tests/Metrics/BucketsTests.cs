using Beyla.Agent.Metrics;

namespace Beyla.Agent.Tests.Metrics;

public sealed class BucketsTests
{
    /// <summary>OpenTelemetry data model, "Histogram": (bounds[i-1], bounds[i]], the last up to infinity.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(4_999, 0)]
    [InlineData(5_000, 0)]
    [InlineData(5_001, 1)]
    [InlineData(10_000, 1)]
    [InlineData(75_000, 4)]
    [InlineData(75_001, 5)]
    [InlineData(10_000_000, 13)]
    [InlineData(10_000_001, 14)]
    [InlineData(long.MaxValue, 14)]
    public void A_bound_belongs_to_the_bucket_below_it(long microseconds, int bucket) =>
        Assert.Equal(bucket, new Buckets(Buckets.Durations, 1_000_000).IndexOf(microseconds));

    [Fact]
    public void Each_bound_is_met_exactly_although_a_binary_fraction_is_not()
    {
        double[] bounds = [.. Enumerable.Range(1, 2000).Select(static i => i / 1000.0)];
        var buckets = new Buckets(bounds, 1_000_000);
        for (var i = 0; i < bounds.Length; i++)
        {
            Assert.Equal(i, buckets.IndexOf((i + 1) * 1000));
            Assert.Equal(i + 1, buckets.IndexOf(((i + 1) * 1000) + 1));
        }
    }

    /// <summary>Semantic conventions 1.44, "HTTP metrics" and "Database client metrics": ExplicitBucketBoundaries.</summary>
    [Fact]
    public void The_bounds_are_those_of_the_conventions()
    {
        Assert.Equal([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10], Buckets.Durations);
        Assert.Equal([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10], Buckets.Queries);
    }

    [Fact]
    public void Bounds_that_do_not_rise_are_refused()
    {
        Assert.Throws<ArgumentException>(static () => new Buckets([1, 1], 1));
        Assert.Throws<ArgumentException>(static () => new Buckets([1, double.NaN], 1));
        Assert.Throws<ArgumentException>(static () => new Buckets([double.PositiveInfinity], 1));
    }
}

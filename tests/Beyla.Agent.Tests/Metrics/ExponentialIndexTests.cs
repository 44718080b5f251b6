using System.Numerics;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>Indexes against bounds that are computed otherwise, and more exactly than a double is (<see cref="ExactBounds"/>).</summary>
public sealed class ExponentialIndexTests
{
    public static TheoryData<int> Scales => [.. Enumerable.Range(-10, 31)];

    /// <summary>By the definition in the data model; the root of two is 1.41421356237309504880…</summary>
    [Theory]
    [InlineData(0, 1.0, -1)] // (1/2, 1]
    [InlineData(0, 1.5, 0)] // (1, 2]
    [InlineData(0, 2.0, 0)]
    [InlineData(0, 4.0, 1)]
    [InlineData(1, 1.4142135623730951, 1)] // the double above the root of two
    [InlineData(1, 1.414213562373095, 0)]
    [InlineData(-1, 4.0, 0)] // (1, 4]
    [InlineData(-1, 4.000001, 1)]
    [InlineData(-1, 1.0, -1)]
    [InlineData(3, 0.5, -9)]
    public void Known_values(int scale, double value, int index)
    {
        Assert.True(ExactBounds.Holds(value, scale, index));
        Assert.Equal(index, ExponentialIndex.Of(value, scale));
    }

    [Theory]
    [MemberData(nameof(Scales))]
    public void A_power_of_two_is_the_last_value_of_its_bucket(int scale)
    {
        for (var exponent = -1022; exponent <= 1023; exponent++) // all that a double has
        {
            var value = Math.ScaleB(1, exponent);
            var index = (long)ExponentialIndex.Of(value, scale);
            // base^i < 2^e <= base^(i+1), as exponents of two, in parts of 2^-scale where those are finer.
            var (sought, step) = scale >= 0 ? ((long)exponent << scale, 1L) : (exponent, 1L << -scale);
            Assert.True(index * step < sought && sought <= (index + 1) * step, $"2^{exponent} at {scale}: {index}");
            if (exponent < 1023)
            {
                var next = (long)ExponentialIndex.Of(Math.BitIncrement(value), scale);
                Assert.True(next * step <= sought && sought < (next + 1) * step, $"above 2^{exponent} at {scale}: {next}");
            }
        }
    }

    /// <summary>Each bound between two powers of two, of all scales, is between two doubles, which are in different buckets.</summary>
    [Fact]
    public void The_doubles_on_both_sides_of_each_bound_are_told_apart()
    {
        const int Finest = 20;
        var (bound, root) = (BigInteger.One << ExactBounds.Bits, ExactBounds.Of(Finest, 1));
        for (var step = 1; step < 1 << Finest; step++)
        {
            bound = bound * root >> ExactBounds.Bits;
            var fraction = (ulong)(bound >> (ExactBounds.Bits - 52)) & ((1UL << 52) - 1);
            var below = BitConverter.UInt64BitsToDouble((1023UL << 52) | fraction);
            var above = Math.BitIncrement(below);
            for (var (scale, index) = (Finest, step); scale > 0; scale--, index >>= 1)
            {
                // Some exponents of those that seconds and bytes have.
                var power = (index % 60) - 20;
                Check(Math.ScaleB(below, power), scale, (power << scale) + index - 1);
                Check(Math.ScaleB(above, power), scale, (power << scale) + index);
                if ((index & 1) != 0)
                {
                    break; // no bound of a coarser scale
                }
            }
        }

        static void Check(double value, int scale, int index)
        {
            var found = ExponentialIndex.Of(value, scale);
            if (found != index)
            {
                Assert.Fail($"{value:R} at {scale}: {found}, not {index}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Scales))]
    public void Durations_in_microseconds_are_where_the_bounds_say(int scale)
    {
        var random = new Random(scale);
        for (var i = 0; i < 2000; i++)
        {
            var value = (long)Math.Pow(10, random.NextDouble() * 12) / 1e6; // 1 µs to 10^6 s
            var index = ExponentialIndex.Of(value, scale);
            Assert.True(ExactBounds.Holds(value, scale, index), $"{value:R} at {scale}: {index}");
        }
    }
}

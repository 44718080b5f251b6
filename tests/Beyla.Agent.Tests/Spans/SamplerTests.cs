using Beyla.Agent.Selection;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Spans;

public sealed class SamplerTests
{
    // OpenTelemetry, "TraceState: Probability Sampling": at 1/4 the threshold is c0000000000000, at 1/2 80000000000000.
    [Theory]
    [InlineData("always_on", "", 0ul, true)]
    [InlineData("always_off", "", 0xfffffffffffffful, false)]
    [InlineData("traceidratio", "0.5", 0x7ffffffffffffful, false)]
    [InlineData("traceidratio", "0.5", 0x80000000000000ul, true)]
    [InlineData("traceidratio", "0.25", 0xbffffffffffffful, false)]
    [InlineData("traceidratio", "0.25", 0xc0000000000000ul, true)]
    [InlineData("traceidratio", "0", 0xfffffffffffffful, false)]
    [InlineData("traceidratio", "1", 0ul, true)]
    [InlineData("traceidratio", "", 0ul, true)]
    [InlineData("PARENTBASED_TraceIdRatio", " 0.5 ", 0x80000000000000ul, true)]
    [InlineData("parentbased_always_off", "", 0xfffffffffffffful, false)]
    [InlineData("", "", 0ul, true)]
    public void A_root_is_decided_by_the_last_56_bits(string name, string argument, ulong random, bool expected)
    {
        var sampler = Of(name, argument);
        // The eight bits above the 56 say nothing, and nor does the flag of a root.
        foreach (var other in (ulong[])[0, 0xff00000000000000])
        {
            Assert.Equal(expected, sampler.IsSampled(new TraceContext { TraceHigh = 1, TraceLow = random | other, SpanId = 2 }));
        }
    }

    [Theory]
    [InlineData("parentbased_always_on", 1, true)]
    [InlineData("parentbased_always_on", 0, false)]
    [InlineData("parentbased_always_off", 1, true)]
    [InlineData("parentbased_traceidratio", 1, true)]
    [InlineData("parentbased_traceidratio", 0, false)]
    [InlineData("always_on", 0, true)]
    [InlineData("always_off", 1, false)]
    public void A_parent_decides_where_the_sampler_asks_it(string name, byte flags, bool expected)
    {
        var context = new TraceContext { TraceLow = 1ul << 55, ParentId = 7, SpanId = 8, Flags = flags };
        Assert.Equal(expected, Of(name, "0.5").IsSampled(in context));
    }

    [Fact]
    public void A_lower_ratio_is_a_part_of_a_higher_and_of_the_right_size()
    {
        var random = new Random(17);
        Sampler tenth = Of("traceidratio", "0.1"), third = Of("traceidratio", "0.3");
        var (tenths, thirds) = (0, 0);
        for (var i = 0; i < 100_000; i++)
        {
            var context = new TraceContext { TraceLow = (ulong)random.NextInt64(long.MinValue, long.MaxValue) };
            var (low, high) = (tenth.IsSampled(in context), third.IsSampled(in context));
            Assert.True(high || !low);
            tenths += low ? 1 : 0;
            thirds += high ? 1 : 0;
        }

        // Five standard deviations of a binomial distribution.
        Assert.InRange(tenths, 10_000 - 475, 10_000 + 475);
        Assert.InRange(thirds, 30_000 - 725, 30_000 + 725);
    }

    [Theory]
    [InlineData("sometimes", "")]
    [InlineData("jaeger_remote", "")]
    [InlineData("traceidratio", "1.5")]
    [InlineData("traceidratio", "-0.1")]
    [InlineData("traceidratio", "NaN")]
    [InlineData("traceidratio", "x")]
    public void What_is_wrong_is_told(string name, string argument)
    {
        Assert.NotNull(SamplerConfiguration.Read(name, argument, out var sampler));
        Assert.Equal(1, sampler.Ratio);
    }

    [Fact]
    public void Only_one_that_takes_all_needs_no_question()
    {
        Assert.True(Of("always_on", "").TakesAll);
        Assert.True(Of("traceidratio", "1").TakesAll);
        Assert.False(Of("", "").TakesAll); // the parent of a span may not be sampled
    }

    private static Sampler Of(string name, string argument)
    {
        Assert.Null(SamplerConfiguration.Read(name, argument, out var sampler));
        return new Sampler(sampler);
    }
}

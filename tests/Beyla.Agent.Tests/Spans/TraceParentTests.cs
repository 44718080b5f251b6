using System.Text;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Spans;

/// <summary>
/// W3C Trace Context level 2, section 3.2 (https://www.w3.org/TR/trace-context-2/#traceparent-header), and the cases of its test suite
/// (https://github.com/w3c/trace-context/blob/main/test/test.py).
/// </summary>
public class TraceParentTests
{
    private const string Trace = "12345678901234567890123456789012", Parent = "1234567890123456";

    [Theory]
    [InlineData($"00-{Trace}-{Parent}-01", 1)]
    [InlineData($"00-{Trace}-{Parent}-00", 0)]
    [InlineData($"00-{Trace}-{Parent}-03", 3)]
    [InlineData($"00-{Trace}-{Parent}-ff", 255)]
    [InlineData($"cc-{Trace}-{Parent}-01", 1)]
    [InlineData($"cc-{Trace}-{Parent}-03", 1)]
    [InlineData($"cc-{Trace}-{Parent}-01-what-the-future-will-be-like", 1)]
    [InlineData($"cc-{Trace}-{Parent}-01-", 1)]
    public void Is_read(string value, byte flags)
    {
        Assert.True(TraceParent.TryParse(Encoding.ASCII.GetBytes(value), out var context));
        Assert.Equal(
            (0x1234567890123456ul, 0x7890123456789012ul, 0x1234567890123456ul, flags, ParentSource.Header),
            (context.TraceHigh, context.TraceLow, context.ParentId, context.Flags, context.Source));
        Assert.Equal(0ul, context.SpanId);
    }

    [Theory]
    [InlineData("")]
    [InlineData($"00-{Trace}-{Parent}")]
    [InlineData($"00-{Trace}-{Parent}-")]
    [InlineData($"00-{Trace}-{Parent}-1")]
    [InlineData($"00-{Trace}-{Parent}-01.")]
    [InlineData($"00-{Trace}-{Parent}-01-what-the-future-will-be-like")]
    [InlineData($"ff-{Trace}-{Parent}-01")]
    [InlineData($"cc-{Trace}-{Parent}-01.what-the-future-will-not-be-like")]
    [InlineData($".0-{Trace}-{Parent}-01")]
    [InlineData($"0.-{Trace}-{Parent}-01")]
    [InlineData($"00-.2345678901234567890123456789012-{Parent}-01")]
    [InlineData($"00-1234567890123456789012345678901.-{Parent}-01")]
    [InlineData($"00-{Trace}-.234567890123456-01")]
    [InlineData($"00-{Trace}-123456789012345.-01")]
    [InlineData($"00-{Trace}-{Parent}-.0")]
    [InlineData($"00-{Trace}-{Parent}-0.")]
    [InlineData($"00-00000000000000000000000000000000-{Parent}-01")]
    [InlineData($"00-{Trace}-0000000000000000-01")]
    [InlineData($"00-1234567890123456789012345678901A-{Parent}-01")]
    [InlineData($"00-{Trace}-123456789012345F-01")]
    [InlineData($"0X-{Trace}-{Parent}-01")]
    [InlineData($"00_{Trace}-{Parent}-01")]
    [InlineData($"00-{Trace}_{Parent}-01")]
    [InlineData($"00-{Trace}-{Parent}_01")]
    [InlineData($"000-{Trace}-{Parent}-01")]
    [InlineData($"00-{Trace}0-{Parent}-1")]
    public void Is_ignored(string value)
    {
        Assert.False(TraceParent.TryParse(Encoding.ASCII.GetBytes(value), out var context));
        Assert.False(context.HasTrace);
    }

    [Fact]
    public void No_cut_or_changed_value_is_taken_for_another()
    {
        var value = Encoding.ASCII.GetBytes($"00-{Trace}-{Parent}-01");
        for (var length = 0; length < value.Length; length++)
        {
            Assert.False(TraceParent.TryParse(value.AsSpan(0, length), out _), length.ToString());
        }

        var random = new Random(1);
        for (var i = 0; i < 200_000; i++)
        {
            var changed = (byte[])value.Clone();
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
            if (TraceParent.TryParse(changed, out var context))
            {
                var version = Encoding.ASCII.GetString(changed, 0, 2);
                var again = $"{version}-{context.TraceHigh:x16}{context.TraceLow:x16}-{context.ParentId:x16}-";
                Assert.StartsWith(again, Encoding.ASCII.GetString(changed), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Identities_are_random_in_all_bits_and_never_zero()
    {
        var ids = new TraceIds();
        var (any, all) = (0ul, ulong.MaxValue);
        HashSet<ulong> seen = [];
        for (var i = 0; i < 10_000; i++)
        {
            var id = ids.Next();
            Assert.True(seen.Add(id));
            Assert.NotEqual(0ul, id);
            (any, all) = (any | id, all & id);
        }

        Assert.Equal((ulong.MaxValue, 0ul), (any, all));
        Assert.NotEqual(new TraceIds().Next(), new TraceIds().Next());
    }
}

using System.Text;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>RFC 3986 section 2.1, of UTF-8; the framework's own decoder is the other opinion.</summary>
public sealed class PercentEncodingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("a b+c", "a b+c")]
    [InlineData("%41%2c%2C%20%25", "A,, %")]
    [InlineData("%C3%BC %e2%82%ac %F0%9F%98%80", "ü € 😀")]
    [InlineData("ü%C3%BC", "üü")]
    [InlineData("%00", "\0")]
    public void What_is_right_is_decoded_in_both_manners(string text, string expected)
    {
        Assert.True(PercentEncoding.TryDecode(Encoding.UTF8.GetBytes(text), out var decoded));
        Assert.Equal((expected, expected), (decoded, PercentEncoding.DecodeValid(text)));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%4%41", "%4A")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("%+1%-1% 1", "%+1%-1% 1")]
    [InlineData("%ff%41", "%ffA")]
    [InlineData("%C3%41", "%C3A")]
    [InlineData("%C3", "%C3")]
    [InlineData("%e2%82", "%e2%82")]
    [InlineData("%C0%80", "%C0%80")] // longer than it need be
    [InlineData("%ED%A0%80", "%ED%A0%80")] // half of a pair
    public void What_is_wrong_spoils_all_of_it_or_stays_as_it_is(string text, string left)
    {
        Assert.False(PercentEncoding.TryDecode(Encoding.UTF8.GetBytes(text), out var decoded));
        Assert.Equal(("", left), (decoded, PercentEncoding.DecodeValid(text)));
    }

    [Fact]
    public void Bytes_as_they_are_must_be_text_too() => Assert.False(PercentEncoding.TryDecode([0x61, 0xff], out _));

    [Fact]
    public void Any_text_is_what_the_framework_makes_of_it()
    {
        string[] pieces = ["%", "a", "4", "ü", "%41", "%C3", "%BC", "%e2", "%82", "%ac", "%F0", "%9F", "%98", "%80", "%ff", "%00"];
        var random = new Random(9);
        for (var round = 0; round < 50_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => pieces[random.Next(pieces.Length)]));
            Assert.Equal(Uri.UnescapeDataString(text), PercentEncoding.DecodeValid(text));
        }
    }
}

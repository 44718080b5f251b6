using System.Security.Cryptography;
using System.Text;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Spans;

/// <summary>SHA-1 against the values of RFC 3174 and RFC 9562, and against the framework's, which is OpenSSL's.</summary>
public sealed class NameHashTests
{
    // RFC 3174, section 7.3, TEST1 to TEST4.
    [Theory]
    [InlineData("abc", 1, "A9993E364706816ABA3E25717850C26C9CD0D89D")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983E441C3BD26EBAAE4AA1F95129E5E54670F1")]
    [InlineData("a", 1000000, "34AA973CD4C4DAA4F61EEB2BDBAD27316534016F")]
    [InlineData("0123456701234567012345670123456701234567012345670123456701234567", 10, "DEA356A2CDDD90C7A7ECEDC5EBB563934F460452")]
    public void Values_of_the_standard(string text, int times, string expected)
    {
        var hash = new byte[NameHash.Size];
        NameHash.Of(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, times))), hash);
        Assert.Equal(expected, Convert.ToHexString(hash));
    }

    // RFC 9562, appendix A.4: name space DNS and www.example.com, before version and variant are written over it.
    [Fact]
    public void The_example_of_UUIDs()
    {
        var hash = new byte[NameHash.Size];
        NameHash.Of([.. Convert.FromHexString("6ba7b8109dad11d180b400c04fd430c8"), .. "www.example.com"u8], hash);
        Assert.Equal("2ED6657DE927468B55E12665A8AEA6A22DEE3E35", Convert.ToHexString(hash));
    }

    [Fact]
    public void Every_length_around_the_blocks()
    {
        var text = new byte[300];
        new Random(3).NextBytes(text);
        var hash = new byte[NameHash.Size];
        for (var length = 0; length <= text.Length; length++)
        {
            NameHash.Of(text.AsSpan(0, length), hash);
#pragma warning disable CA5350 // What it is compared with.
            Assert.Equal(SHA1.HashData(text.AsSpan(0, length)), hash);
#pragma warning restore CA5350
        }
    }
}

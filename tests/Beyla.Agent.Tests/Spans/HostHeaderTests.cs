using System.Text;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Spans;

/// <summary>uri-host [ ":" port ] of RFC 9110 section 7.2 and RFC 3986 section 3.2.</summary>
public sealed class HostHeaderTests
{
    [Theory]
    [InlineData("example.com", "example.com", null)]
    [InlineData("example.com:8080", "example.com", 8080)]
    [InlineData("example.com:", "example.com", null)] // RFC 3986: a port may be empty
    [InlineData("10.0.0.1:65535", "10.0.0.1", 65535)]
    [InlineData("[::1]", "::1", null)]
    [InlineData("[2001:db8::1]:443", "2001:db8::1", 443)]
    [InlineData("[::1]:", "::1", null)]
    public void Is_taken_apart(string field, string name, int? port)
    {
        Assert.True(HostHeader.TrySplit(Encoding.UTF8.GetBytes(field), out var host, out var number));
        Assert.Equal((name, port), (Encoding.UTF8.GetString(host), number));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData(":80")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("[]:80")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("[::1]80")]
    [InlineData("::1")]
    [InlineData("a:b")]
    [InlineData("a:-1")]
    [InlineData("a:+1")]
    [InlineData("a:65536")]
    [InlineData("a:80x")]
    [InlineData("a:80 ")]
    public void Anything_else_is_none(string field) =>
        Assert.False(HostHeader.TrySplit(Encoding.UTF8.GetBytes(field), out _, out _));

    [Fact]
    public void Any_bytes_are_no_exception()
    {
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(12)];
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = random.Next(2) == 0 ? "[]:.a1 "u8[random.Next(7)] : (byte)random.Next(256);
            }

            if (HostHeader.TrySplit(bytes, out var name, out var port))
            {
                Assert.False(name.IsEmpty);
                Assert.InRange(port ?? 0, 0, 65535);
            }
        }
    }
}

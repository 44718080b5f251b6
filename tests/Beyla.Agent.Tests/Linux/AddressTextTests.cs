using System.Net;
using System.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Linux;

public class AddressTextTests
{
    [Fact]
    public void SameTextAsDotnet()
    {
        var random = new Random(5952);
        var buffer = new byte[46];
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[16];
            for (var b = 0; b < 16; b++)
            {
                bytes[b] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)0;
            }

            bytes[0] |= 0x20; // the forms with an IPv4 address inside are shown otherwise by .NET
            var address = new IPAddress(bytes);
            Assert.True(Address.From(address).TryFormat(buffer, out var written));
            Assert.Equal(address.ToString(), Encoding.ASCII.GetString(buffer, 0, written));
        }
    }

    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("fe80::")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("1:0:3:4:5:6:7:8")]
    [InlineData("1::4:0:0:7:8")]
    [InlineData("10.0.0.255")]
    [InlineData("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void Known(string text)
    {
        var buffer = new byte[46];
        Assert.True(Address.From(IPAddress.Parse(text)).TryFormat(buffer, out var written));
        Assert.Equal(text, Encoding.ASCII.GetString(buffer, 0, written));
        Assert.False(Address.From(IPAddress.Parse(text)).TryFormat(buffer.AsSpan(0, 1), out _));
    }
}

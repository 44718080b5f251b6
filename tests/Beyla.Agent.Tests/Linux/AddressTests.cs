using System.Net;
using System.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Linux;

/// <summary>The text form of addresses against RFC 5952, section 4, and the mapped form of RFC 4291, section 2.5.5.2.</summary>
public sealed class AddressTests
{
    [Theory]
    [InlineData("2001:0db8:0:0:0:0:0:1", "2001:db8::1")] // 4.1: no leading zeros
    [InlineData("2001:db8:0:0:0:0:2:1", "2001:db8::2:1")] // 4.2.1: as short as possible
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")] // 4.2.2: one group is not shortened
    [InlineData("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")] // 4.2.3: the longest run
    [InlineData("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1")] // 4.2.3: the first of runs of the same length
    [InlineData("2001:DB8::ABCD", "2001:db8::abcd")] // 4.3: lower case
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")] // mapped: shown as IPv4 here
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("255.255.255.255", "255.255.255.255")]
    [InlineData("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::")]
    [InlineData("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8")]
    public void The_text_is_the_recommended_one(string address, string text)
    {
        var buffer = new byte[46];
        Assert.True(Address.From(IPAddress.Parse(address)).TryFormat(buffer, out var written));
        Assert.Equal(text, Encoding.ASCII.GetString(buffer, 0, written));
    }

    /// <summary>Whatever the room, nothing is written past it: 46 bytes (INET6_ADDRSTRLEN) always suffice.</summary>
    [Theory]
    [InlineData("255.255.255.255")]
    [InlineData("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    [InlineData("::1")]
    public void Too_little_room_is_said(string address)
    {
        for (var room = 0; room < address.Length; room++)
        {
            Assert.False(Address.From(IPAddress.Parse(address)).TryFormat(new byte[room], out _));
        }
    }

    [Fact]
    public void IPv4_is_kept_in_its_mapped_form()
    {
        var address = Address.From(IPAddress.Parse("192.0.2.1"));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1], address.Bytes.ToArray());
        Assert.True(address.IsIPv4);
        Assert.Equal(IPAddress.Parse("192.0.2.1"), address.ToIPAddress());
        // The deprecated "compatible" form and one that only ends alike are IPv6.
        Assert.False(Address.From(IPAddress.Parse("::192.0.2.1")).IsIPv4);
        Assert.False(Address.From(IPAddress.Parse("1::ffff:192.0.2.1")).IsIPv4);
    }
}

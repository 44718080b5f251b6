using System.Net;
using Beyla.Agent.Flows;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Flows;

/// <summary>Which addresses a socket that is bound to none may own.</summary>
public sealed class LocalAddressTests
{
    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.1.2.4", false)]
    [InlineData("10.1.3.255", true)] // broadcast of 10.1.2.3/23
    [InlineData("10.1.2.255", false)]
    [InlineData("192.0.2.1", true)]
    [InlineData("192.0.2.0", false)] // a link of two (RFC 3021) has no broadcast address
    [InlineData("255.255.255.255", true)]
    [InlineData("127.8.9.1", true)]
    [InlineData("224.0.0.251", true)]
    [InlineData("240.0.0.1", false)]
    [InlineData("0.0.0.0", true)]
    [InlineData("::", true)]
    [InlineData("fd00::5", true)]
    [InlineData("fd00::6", false)]
    [InlineData("ff02::1", true)]
    public void Own_loopback_broadcast_and_multicast_addresses_are_the_hosts(string address, bool expected)
    {
        LocalAddresses addresses = new();
        addresses.Update([new NetworkAddress(9, IPAddress.Parse("10.9.9.9"), true, 24)]);
        addresses.Update(
        [
            new NetworkAddress(2, IPAddress.Parse("10.1.2.3"), true, 23), new NetworkAddress(3, IPAddress.Parse("192.0.2.1"), true, 31),
            new NetworkAddress(2, IPAddress.Parse("fd00::5"), true, 64),
        ]);
        Assert.Equal(expected, addresses.Contains(Address.From(IPAddress.Parse(address))));
        Assert.False(addresses.Contains(Address.From(IPAddress.Parse("10.9.9.9"))));
    }
}

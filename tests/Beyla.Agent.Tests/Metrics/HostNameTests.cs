using System.Text;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Tests.Metrics;

public sealed class HostNameTests
{
    [Theory]
    [InlineData("example.com", "example.com", 0)]
    [InlineData("example.com:8080", "example.com", 8080)]
    [InlineData("api_v1.shop.svc:80", "api_v1.shop.svc", 80)]
    [InlineData("localhost", "localhost", 0)]
    [InlineData("example.com.", "example.com.", 0)]
    [InlineData("1.2.3.4.nip.io", "1.2.3.4.nip.io", 0)]
    [InlineData("10.0.0.1", "", 0)]
    [InlineData("10.0.0.1:8080", "", 0)]
    [InlineData("[2001:db8::1]", "", 0)]
    [InlineData("[2001:db8::1]:80", "", 0)]
    [InlineData("2001:db8::a", "", 0)]
    [InlineData("example.com:", "", 0)]
    [InlineData("example.com:99999", "", 0)]
    [InlineData("example.com:-1", "", 0)]
    [InlineData("example.com:+80", "", 0)] // port = *DIGIT
    [InlineData("[abcd]", "", 0)]
    [InlineData("a:b:80", "", 0)]
    [InlineData("a b", "", 0)]
    [InlineData("\"x\"", "", 0)]
    [InlineData("", "", 0)]
    [InlineData(":80", "", 0)]
    [InlineData("2130706433", "", 0)]
    public void A_name_is_one_and_an_address_is_none(string value, string expected, int port)
    {
        var host = HostName.Of(Encoding.UTF8.GetBytes(value));
        Assert.Equal((expected, port), (Encoding.UTF8.GetString(host.Name), host.Port));
    }
}

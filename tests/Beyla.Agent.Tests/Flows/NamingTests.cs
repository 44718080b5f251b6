using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Flows;

/// <summary>Names of networks, addresses and interfaces.</summary>
public sealed class NamingTests
{
    [Theory]
    [InlineData("10.1.2.3", "host")]
    [InlineData("10.1.2.4", "office")]
    [InlineData("10.9.9.9", "private")]
    [InlineData("11.0.0.1", null)]
    [InlineData("fd00::1", "ula")]
    [InlineData("2001:db8::1", "all six")]
    public void The_narrowest_network_names_an_address(string address, string? expected)
    {
        NetworkTable table = new([
            Network("10.0.0.0/8", "private"), Network("10.1.2.3/32", "host"), Network("10.1.2.0/24", "office"), Network("fd00::/8", "ula"),
            Network("::/0", "all six"),
        ]);
        Assert.Equal(expected, table.Find(Address.From(IPAddress.Parse(address))));
    }

    [Fact]
    public void The_default_route_of_version_four_holds_only_that() =>
        Assert.Equal(("all", null), (Find("0.0.0.0/0", "1.2.3.4"), Find("0.0.0.0/0", "fd00::1")));

    [Theory]
    [InlineData("", "lo", "lo", false)]
    [InlineData("", "lo", "eth0", true)]
    [InlineData("lo", "lo", "lo", true)]
    [InlineData("/^l/", "lo", "lo", true)]
    [InlineData("eth0", "lo", "eth1", false)]
    [InlineData("/^eth/", "eth1,lo", "eth1", false)]
    [InlineData("/^eth/", "eth1,lo", "eth2", true)]
    [InlineData("", "", "lo", true)]
    [InlineData("", "/^veth/,lo", "veth12", false)]
    public void Interfaces_are_chosen_by_name_and_expression(string wanted, string excluded, string name, bool expected) => Assert.Equal(
        expected, new InterfaceFilter(new NetworkConfiguration { Interfaces = Patterns(wanted), ExcludeInterfaces = Patterns(excluded) })
            .Wants(name));

    [Theory]
    [InlineData("external", AgentAddressType.Any, "eth1", "192.168.1.2")]
    [InlineData("external", AgentAddressType.Any, "", "10.0.0.5")]
    [InlineData("external", AgentAddressType.IPv6, "eth1", "2001:db8::2")]
    [InlineData("local", AgentAddressType.Any, "eth1", "10.0.0.5")]
    [InlineData("name:eth1", AgentAddressType.IPv4, "", "192.168.1.2")]
    [InlineData("name:lo", AgentAddressType.Any, "eth1", "127.0.0.1")]
    public void The_agents_address_is_found_without_asking_anybody(
        string where, AgentAddressType kind, string defaultInterface, string expected)
    {
        List<NetworkLink> links = [new(1, "lo", true), new(2, "eth0", false), new(3, "eth1", false)];
        List<NetworkAddress> addresses =
        [
            new(1, IPAddress.Loopback, false), new(2, IPAddress.Parse("fe80::1"), false), new(2, IPAddress.Parse("10.0.0.5"), true),
            new(3, IPAddress.Parse("2001:db8::2"), true), new(3, IPAddress.Parse("192.168.1.2"), true),
        ];
        NetworkConfiguration configuration = new() { AgentIPInterface = where, AgentIPType = kind };
        Assert.Equal(IPAddress.Parse(expected), AgentAddress.Choose(configuration, links, addresses, defaultInterface).ToIPAddress());
    }

    [Fact]
    public void A_host_without_addresses_has_the_unspecified_one() =>
        Assert.Equal(IPAddress.Any, AgentAddress.Choose(new NetworkConfiguration(), [], [], "").ToIPAddress());

    [Fact]
    public async Task Reverse_names_never_wait_and_are_asked_once()
    {
        List<string> asked = [];
        using ManualResetEventSlim go = new();
        using ReverseNames names = new(2, TimeSpan.FromHours(1), address =>
        {
            go.Wait();
            lock (asked)
            {
                asked.Add(address.ToString());
            }

            return "name of " + address;
        });
        Address a = Address.From(IPAddress.Parse("10.0.0.1"));
        Address b = Address.From(IPAddress.Parse("10.0.0.2"));
        Address c = Address.From(IPAddress.Parse("10.0.0.3"));
        Assert.Null(names.Find(a));
        Assert.Null(names.Find(a));
        Assert.Null(names.Find(b));
        Assert.Null(names.Find(c)); // the cache of two is full of fresh names
        go.Set();
        for (int i = 0; i < 500 && names.Find(b) is null; i++)
        {
            await Task.Delay(10);
        }

        Assert.Equal(("name of 10.0.0.1", "name of 10.0.0.2", null), (names.Find(a), names.Find(b), names.Find(c)));
        Assert.Equal(["10.0.0.1", "10.0.0.2"], asked);
    }

    [Fact]
    public void A_filter_of_a_dead_agent_is_known_by_its_name()
    {
        string mine = ClsactFilters.PidNamespace(), alive = $"beyla_flow:{mine}:{Environment.ProcessId}:{ClsactFilters.StartTime("self")}";
        Assert.NotEmpty(mine);
        Assert.False(ClsactFilters.IsLeftover($"{alive}:egress:made"));
        Assert.True(ClsactFilters.IsLeftover($"beyla_flow:{mine}:{Environment.ProcessId}:1:egress")); // the pid is in use again
        Assert.True(ClsactFilters.IsLeftover($"beyla_flow:{mine}:99999999:5:ingress:made"));
        // another pid namespace: its processes cannot be seen
        Assert.False(ClsactFilters.IsLeftover("beyla_flow:1:99999999:5:ingress:made"));
        Assert.False(ClsactFilters.IsLeftover("beyla_flow::99999999:5:ingress:made"));
        Assert.False(ClsactFilters.IsLeftover("beyla_flow:99999999:5:ingress:made")); // without one
        Assert.False(ClsactFilters.IsLeftover("cilium"));
        Assert.False(ClsactFilters.IsLeftover($"beyla_flow:{mine}:x"));
        Assert.False(ClsactFilters.IsLeftover($"beyla_flow:{mine}:-1:2"));
        Assert.False(ClsactFilters.IsLeftover(""));
    }

    private static string? Find(string network, string address) =>
        new NetworkTable([Network(network, "all")]).Find(Address.From(IPAddress.Parse(address)));

    private static NamedNetwork Network(string text, string label) =>
        NamedNetwork.TryParse(text, label, out NamedNetwork? network) ? network : throw new FormatException(text);

    private static NamePattern[] Patterns(string list) => [.. list.Split(',', StringSplitOptions.RemoveEmptyEntries)
        .Select(text =>
            NamePattern.TryParse(text, out NamePattern? pattern, out string? error) ? pattern : throw new FormatException(error))];
}

using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Tests.Configuration;

public sealed class SectionTests
{
    [Fact]
    public void Reads_the_section_network()
    {
        var loaded = Loaded.From("""
            network:
              enable: true
              source: tc
              interfaces: [eth0, /^br-/]
              exclude_interfaces: docker0
              protocols: [tcp, UDP]
              exclude_protocols: [ICMP]
              cache_max_flows: 200000
              cache_active_timeout: 1s
              deduper: none
              direction: egress
              sampling: 100
              listen_interfaces: poll
              listen_poll_period: 3s
              agent_ip: fd00::1
              agent_ip_iface: name:eth0
              agent_ip_type: ipv6
              cidrs:
                - 10.1.2.3/8
                - {cidr: fd00::/8, name: internal}
              reverse_dns: {type: local, cache_len: 10, cache_expiry: 2m}
              guess_ports: ordinal
              print_flows: true
            ebpf: {traffic_control_backend: tcx}
            """);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        Assert.Empty(loaded.StartProblems);
        var network = loaded.ConfigurationToStart.Network;
        Assert.True(network.Enabled);
        Assert.Equal(FlowSource.TrafficControl, network.Source);
        Assert.True(network.Interfaces[0].IsMatch("eth0") && !network.Interfaces[0].IsMatch("eth01"));
        Assert.True(network.Interfaces[1].IsMatch("br-12ab") && !network.Interfaces[1].IsMatch("xbr-1"));
        Assert.Equal("docker0", Assert.Single(network.ExcludeInterfaces).Text);
        Assert.Equal<byte>([6, 17], network.Protocols.Order());
        Assert.Equal<byte>([1], network.ExcludeProtocols);
        Assert.Equal(200000, network.CacheMaxFlows);
        Assert.Equal(TimeSpan.FromSeconds(1), network.CacheActiveTimeout);
        Assert.Equal(TimeSpan.FromSeconds(2), network.DeduperExpiry);
        Assert.Equal(FlowDeduper.None, network.Deduper);
        Assert.Equal(FlowDirections.Egress, network.Direction);
        Assert.Equal(100, network.Sampling);
        Assert.Equal(InterfaceListener.Poll, network.ListenInterfaces);
        Assert.Equal(TimeSpan.FromSeconds(3), network.ListenPollPeriod);
        Assert.Equal(IPAddress.Parse("fd00::1"), network.AgentIP);
        Assert.Equal("name:eth0", network.AgentIPInterface);
        Assert.Equal(AgentAddressType.IPv6, network.AgentIPType);
        Assert.Equal(
            [new NamedNetwork(IPNetwork.Parse("10.0.0.0/8"), "10.1.2.3/8"), new NamedNetwork(IPNetwork.Parse("fd00::/8"), "internal")],
            network.Cidrs);
        Assert.Equal(ReverseDnsType.Local, network.ReverseDns);
        Assert.Equal(10, network.ReverseDnsCacheLength);
        Assert.Equal(TimeSpan.FromMinutes(2), network.ReverseDnsCacheExpiry);
        Assert.True(network.GuessPorts);
        Assert.True(network.PrintFlows);
        Assert.Equal(TrafficControlBackend.Tcx, network.TrafficControlBackend);
    }

    [Fact]
    public void Reads_what_is_no_section()
    {
        var loaded = Loaded.Environment(
            ("BEYLA_OPEN_PORT", "8080"), ("BEYLA_TRACE_PRINTER", "json_indent"), ("BEYLA_ENFORCE_SYS_CAPS", "1"),
            ("BEYLA_LOG_LEVEL", "debug"), ("BEYLA_LOG_FORMAT", "json"), ("BEYLA_LOG_CONFIG", "yaml"),
            ("BEYLA_BPF_HTTP_REQUEST_TIMEOUT", "30s"), ("BEYLA_BPF_SOCKET_SOURCE", "fentry"),
            ("BEYLA_BPF_RING_SIZE", "1048576"), ("BEYLA_BPF_POLL_INTERVAL", "5ms"), ("BEYLA_SHUTDOWN_TIMEOUT", "1s"));
        Assert.Empty(loaded.Warnings);
        var configuration = loaded.ConfigurationToStart;
        Assert.True(configuration.ApplicationEnabled);
        Assert.Equal(TracePrinterKind.JsonIndent, configuration.TracePrinter);
        Assert.True(configuration.EnforceSysCaps);
        Assert.Equal(LogLevel.Debug, configuration.LogLevel);
        Assert.Equal(LogFormat.Json, configuration.LogFormat);
        Assert.Equal(LoggedConfiguration.Yaml, configuration.LogConfig);
        Assert.Equal(TimeSpan.FromSeconds(30), configuration.HttpRequestTimeout);
        Assert.Equal(SocketSourceKind.Fentry, configuration.SocketSource);
        Assert.Equal(1048576u, configuration.RingSize);
        Assert.Equal(TimeSpan.FromMilliseconds(5), configuration.PollInterval);
        Assert.Equal(TimeSpan.FromSeconds(1), configuration.ShutdownTimeout);
    }

    [Fact]
    public void Sensitive_parameters_are_the_defaults_and_added_without_removed()
    {
        var defaults = Loaded.From().Configuration.SensitiveQueryParameters;
        // The peer has 38 names, of which "Signature" and "signature" are one here, because case does not count. 20 are added to them.
        Assert.Equal(57, defaults.Count);
        Assert.All(["SAMLRESPONSE", "passwd", "authorization", "code"], name => Assert.Contains(name, defaults));
        var loaded = Loaded.From("attributes: {sensitive_query_params: {add: [Foo, bar], remove: [TOKEN]}}");
        Assert.Empty(loaded.Warnings);
        var changed = loaded.Configuration.SensitiveQueryParameters;
        Assert.Equal(58, changed.Count);
        Assert.Contains("foo", changed);
        Assert.DoesNotContain("token", changed);
        Assert.Contains("access_token", changed);
    }

    [Fact]
    public void Nothing_selected_is_an_error_that_says_what_to_set()
    {
        var failure = Assert.Throws<ConfigurationException>(() => Loaded.From().ConfigurationToStart);
        Assert.Contains("BEYLA_OPEN_PORT", Assert.Single(failure.Problems), StringComparison.Ordinal);
        Assert.DoesNotContain("did you mean", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BEYLA_OPENPORT", "BEYLA_OPEN_PORT")]
    [InlineData("BELYA_OPEN_PORT", "BEYLA_OPEN_PORT")]
    [InlineData("beyla_open_port", "BEYLA_OPEN_PORT")]
    [InlineData("OPEN_PORT", "BEYLA_OPEN_PORT")]
    [InlineData("BEYLA_NETWORK_METRIC", "BEYLA_NETWORK_METRICS")]
    public void Nothing_selected_hints_at_a_misspelt_variable(string variable, string meant) =>
        Assert.EndsWith(
            $"(the variable \"{variable}\" is set: did you mean {meant}?)",
            Assert.Single(Loaded.Environment((variable, "8080"), ("HOME", "/root"), ("PATH", "/bin")).StartProblems));

    [Theory]
    [InlineData("BEYLA_OPEN_PORT", "80", "BEYLA_TRACE_PRINTER")]
    [InlineData("BEYLA_NETWORK_METRICS", "1", "BEYLA_NETWORK_PRINT_FLOWS")]
    public void Results_that_would_go_nowhere_are_an_error(string variable, string value, string expected) =>
        Assert.Contains(expected, Assert.Single(Loaded.Environment((variable, value)).StartProblems), StringComparison.Ordinal);

    [Theory]
    [InlineData("BEYLA_TARGET_PID=1234 BEYLA_TRACE_PRINTER=text")]
    [InlineData("BEYLA_NETWORK_METRICS=1 BEYLA_NETWORK_PRINT_FLOWS=1")]
    [InlineData("BEYLA_NETWORK_METRICS=true BEYLA_TRACE_PRINTER=json")]
    [InlineData("BEYLA_AUTO_TARGET_LANGUAGE=go BEYLA_TRACE_PRINTER=counter")]
    [InlineData("OTEL_GO_AUTO_TARGET_EXE=*x BEYLA_TRACE_PRINTER=counter")]
    public void These_start(string environment)
    {
        var loaded = Loaded.Environment([.. environment.Split(' ').Select(static pair => (pair.Split('=')[0], pair.Split('=')[1]))]);
        Assert.NotNull(loaded.ConfigurationToStart);
        Assert.Empty(loaded.Warnings);
    }
}

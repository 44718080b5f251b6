using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

public sealed class ValueTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("10s", 10_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("250ms", 250)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1h1m1s1ms", 3_661_001)]
    [InlineData("+2m", 120_000)]
    [InlineData(".5s", 500)]
    [InlineData("1500us", 1.5)]
    [InlineData("1500µs", 1.5)]
    [InlineData("1000000ns", 1)]
    public void Reads_durations_of_Go(string text, double milliseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("-1s")]
    [InlineData("s")]
    [InlineData("1d")]
    [InlineData("1..5s")]
    [InlineData("1 s")]
    [InlineData("1s ")]
    [InlineData("99999999h")]
    [InlineData("9999999999999999999999999999999999h")]
    [InlineData("1e3s")]
    public void Refuses_other_durations(string text) => Assert.False(GoDuration.TryParse(text, out _));

    [Theory]
    [InlineData("1", true)]
    [InlineData("t", true)]
    [InlineData("T", true)]
    [InlineData("true", true)]
    [InlineData("TRUE", true)]
    [InlineData("True", true)]
    [InlineData("0", false)]
    [InlineData("f", false)]
    [InlineData("F", false)]
    [InlineData("false", false)]
    [InlineData("FALSE", false)]
    [InlineData("False", false)]
    [InlineData("yes", null)]
    [InlineData("on", null)]
    [InlineData("tRUE", null)]
    [InlineData(" true", null)]
    public void Reads_booleans_of_Go(string text, bool? expected)
    {
        Assert.Equal(expected is not null, SettingValue.TryBoolean(text, out var value));
        Assert.Equal(expected ?? false, value);
    }

    /// <summary>One bad value of each type: the message says key, value, origin and what is allowed.</summary>
    [Theory]
    [InlineData("BEYLA_OPEN_PORT", "80a",
        "open_port = \"80a\" (environment BEYLA_OPEN_PORT): \"80a\" is neither a number nor a range such as 8000-8999")]
    [InlineData("BEYLA_TARGET_PID", "0", "target_pids = \"0\" (environment BEYLA_TARGET_PID): \"0\" is outside 1-2147483647")]
    [InlineData("BEYLA_AUTO_TARGET_EXE", "a[", "AutoTargetExe = \"a[\" (environment BEYLA_AUTO_TARGET_EXE): the [ at character 2 has no ]")]
    [InlineData("BEYLA_TRACE_PRINTER", "xml",
        "trace_printer = \"xml\" (environment BEYLA_TRACE_PRINTER): allowed are counter, disabled, json, json_indent, text")]
    [InlineData("BEYLA_ENFORCE_SYS_CAPS", "yes",
        "enforce_sys_caps = \"yes\" (environment BEYLA_ENFORCE_SYS_CAPS): allowed are true, false, 1 and 0")]
    [InlineData("BEYLA_SHUTDOWN_TIMEOUT", "10",
        "shutdown_timeout = \"10\" (environment BEYLA_SHUTDOWN_TIMEOUT): a duration with a unit is expected, such as 250ms, 1.5s or 1h30m")]
    [InlineData("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", "0s",
        "network.cache_active_timeout = \"0s\" (environment BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT): a duration above zero is expected")]
    [InlineData("BEYLA_NETWORK_CACHE_MAX_FLOWS", "0",
        "network.cache_max_flows = \"0\" (environment BEYLA_NETWORK_CACHE_MAX_FLOWS): a whole number from 1 to 1000000 is expected")]
    [InlineData("BEYLA_BPF_RING_SIZE", "5000",
        "ebpf.ring_size = \"5000\" (environment BEYLA_BPF_RING_SIZE): a power of two that is a multiple of 4096 is expected")]
    [InlineData("BEYLA_BPF_RING_SIZE", "12",
        "ebpf.ring_size = \"12\" (environment BEYLA_BPF_RING_SIZE): a whole number from 4096 to 67108864 is expected")]
    [InlineData("BEYLA_BPF_RING_SIZE", "134217728",
        "ebpf.ring_size = \"134217728\" (environment BEYLA_BPF_RING_SIZE): a whole number from 4096 to 67108864 is expected")]
    [InlineData("BEYLA_NETWORK_CIDRS", "10.0.0.0/8,10.0.0.0/33",
        "network.cidrs = \"10.0.0.0/8,10.0.0.0/33\" (environment BEYLA_NETWORK_CIDRS): "
            + "\"10.0.0.0/33\" is not an address block such as 10.0.0.0/8")]
    [InlineData("BEYLA_NETWORK_AGENT_IP", "1",
        "network.agent_ip = \"1\" (environment BEYLA_NETWORK_AGENT_IP): an IPv4 or IPv6 address is expected")]
    [InlineData("BEYLA_NETWORK_AGENT_IP_IFACE", "eth0",
        "network.agent_ip_iface = \"eth0\" (environment BEYLA_NETWORK_AGENT_IP_IFACE): allowed are external, local and name:INTERFACE")]
    [InlineData("BEYLA_NETWORK_SOURCE", "xdp",
        "network.source = \"xdp\" (environment BEYLA_NETWORK_SOURCE): allowed are socket_filter, tc")]
    [InlineData("BEYLA_KUBE_INFORMERS_SYNC_TIMEOUT", "abc",
        "attributes.kubernetes.informers_sync_timeout = \"abc\" (environment BEYLA_KUBE_INFORMERS_SYNC_TIMEOUT): "
            + "a duration with a unit is expected, such as 250ms, 1.5s or 1h30m")]
    [InlineData("OTEL_EBPF_OPEN_PORT", "x\x1b[31m",
        "open_port = \"x\\x1b[31m\" (environment OTEL_EBPF_OPEN_PORT): \"x\x1b[31m\" is neither a number nor a range such as 8000-8999")]
    public void Names_key_value_origin_and_what_is_allowed(string variable, string value, string expected)
    {
        // What the entry itself shows is escaped too.
        expected = expected.Replace("\x1b", "\\x1b", StringComparison.Ordinal);
        Assert.Equal([expected], Loaded.Environment((variable, value)).Problems);
    }

    [Theory]
    [InlineData("BEYLA_EXECUTABLE_NAME", "(?=a)", "look-around")]
    [InlineData("BEYLA_EXECUTABLE_NAME", "(", "not a regular expression")]
    [InlineData("BEYLA_NETWORK_INTERFACES", "eth0,/[/", "\"/[/\": not a regular expression")]
    [InlineData("BEYLA_NETWORK_PROTOCOLS", "TCP,HTTP", "\"HTTP\": allowed are IP, ICMP")]
    public void Names_what_is_wrong_inside_a_value(string variable, string value, string expected) =>
        Assert.Contains(expected, Assert.Single(Loaded.Environment((variable, value)).Problems), StringComparison.Ordinal);

    [Fact]
    public void Reports_all_bad_values_at_once() =>
        Assert.Equal(4, Loaded.From("log_level: LOUD\nnetwork: {sampling: many}\n",
            [("BEYLA_OPEN_PORT", "x")], "--set", "network.source=pcap").Problems.Count);
}

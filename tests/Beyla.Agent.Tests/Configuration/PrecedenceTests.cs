using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

public sealed class PrecedenceTests
{
    /// <summary>Each combination of sources for one setting: file, variable, variable of the other edition, command line.</summary>
    [Theory]
    [InlineData(null, null, null, null, 5000, "default")]
    [InlineData("1", null, null, null, 1, "beyla.yml:1:28")]
    [InlineData(null, null, "3", null, 3, "environment OTEL_EBPF_NETWORK_CACHE_MAX_FLOWS")]
    [InlineData(null, "2", null, null, 2, "environment BEYLA_NETWORK_CACHE_MAX_FLOWS")]
    [InlineData(null, null, null, "4", 4, "command line --set network.cache_max_flows")]
    [InlineData("1", null, "3", null, 3, "environment OTEL_EBPF_NETWORK_CACHE_MAX_FLOWS")]
    [InlineData("1", "2", null, null, 2, "environment BEYLA_NETWORK_CACHE_MAX_FLOWS")]
    [InlineData("1", null, null, "4", 4, "command line --set network.cache_max_flows")]
    [InlineData(null, "2", "3", null, 2, "environment BEYLA_NETWORK_CACHE_MAX_FLOWS")]
    [InlineData(null, "2", "3", "4", 4, "command line --set network.cache_max_flows")]
    [InlineData("1", "2", "3", "4", 4, "command line --set network.cache_max_flows")]
    [InlineData("1", "", null, null, 1, "beyla.yml:1:28")]
    [InlineData("1", "", "3", null, 3, "environment OTEL_EBPF_NETWORK_CACHE_MAX_FLOWS")]
    public void Command_line_over_environment_over_file_over_default(
        string? file, string? own, string? other, string? option, int expected, string origin)
    {
        var environment = new List<(string, string)>();
        if (own is not null)
        {
            environment.Add(("BEYLA_NETWORK_CACHE_MAX_FLOWS", own));
        }

        if (other is not null)
        {
            environment.Add(("OTEL_EBPF_NETWORK_CACHE_MAX_FLOWS", other));
        }

        var loaded = Loaded.From(
            file is null ? "" : $"network: {{cache_max_flows: {file}}}", [.. environment],
            option is null ? [] : ["--set", "network.cache_max_flows=" + option]);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(expected, loaded.Configuration.Network.CacheMaxFlows);
        Assert.Equal(origin, loaded.Setting("network.cache_max_flows").Origin.ToString());
    }

    [Fact]
    public void An_empty_variable_of_a_list_clears_it()
    {
        Assert.Equal("lo", Assert.Single(Loaded.From().Configuration.Network.ExcludeInterfaces).Text);
        Assert.Empty(Loaded.Environment(("BEYLA_NETWORK_EXCLUDE_INTERFACES", "")).Configuration.Network.ExcludeInterfaces);
        Assert.True(Loaded.From("open_port: 80", [("BEYLA_OPEN_PORT", "")]).Configuration.Selection.IsEmpty);
        Assert.Empty(Loaded.From("network: {exclude_interfaces: []}").Configuration.Network.ExcludeInterfaces);
        Assert.Single(Loaded.From("network: {exclude_interfaces: }").Configuration.Network.ExcludeInterfaces);
    }

    [Fact]
    public void An_empty_variable_of_a_single_value_is_unset() =>
        Assert.Equal(TracePrinterKind.Text, Loaded.From("trace_printer: text", [("BEYLA_TRACE_PRINTER", "")]).Configuration.TracePrinter);

    [Theory]
    [InlineData("BEYLA_SERVICE_NAME", "b", null, null, "b")]
    [InlineData("BEYLA_SERVICE_NAME", "b", "OTEL_SERVICE_NAME", "o", "o")]
    public void Several_variables_of_a_setting_have_an_order(
        string first, string firstValue, string? second, string? secondValue, string expected)
    {
        var environment = new List<(string, string)> { (first, firstValue), ("BEYLA_OPEN_PORT", "80") };
        if (second is not null)
        {
            environment.Add((second, secondValue!));
        }

        var loaded = Loaded.Environment([.. environment]);
        Assert.Equal(expected, Assert.Single(loaded.Configuration.Selection.Rules).ServiceName);
        Assert.Empty(loaded.Warnings);
    }

    [Theory]
    [InlineData("console", "", null, TracePrinterKind.Text, "environment OTEL_TRACES_EXPORTER")]
    [InlineData(" Console,none", "", null, TracePrinterKind.Text, "environment OTEL_TRACES_EXPORTER")]
    [InlineData("none", "", null, TracePrinterKind.Disabled, "default")]
    [InlineData("", "", null, TracePrinterKind.Disabled, "default")]
    [InlineData("console", "trace_printer: json", null, TracePrinterKind.Json, "beyla.yml:1:16")]
    [InlineData("console", "", "counter", TracePrinterKind.Counter, "environment BEYLA_TRACE_PRINTER")]
    public void The_standard_exporter_counts_where_nothing_else_says_how_to_print(
        string exporter, string yaml, string? own, TracePrinterKind expected, string origin)
    {
        (string, string)[] environment = own is null
            ? [("OTEL_TRACES_EXPORTER", exporter)] : [("OTEL_TRACES_EXPORTER", exporter), ("BEYLA_TRACE_PRINTER", own)];
        var loaded = Loaded.From(yaml, environment);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(expected, loaded.Configuration.TracePrinter);
        Assert.Equal(origin, loaded.Setting("trace_printer").Origin.ToString());
    }

    [Fact]
    public void The_last_of_repeated_options_counts() =>
        Assert.Equal("90",
            Assert.Single(Loaded.From("", [], "--open-port", "80", "--open-port=90").Configuration.Selection.Rules).OpenPorts.ToString());

    [Fact]
    public void Defaults_are_those_of_the_table()
    {
        var loaded = Loaded.From();
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        var configuration = loaded.Configuration;
        Assert.Equal(new NetworkConfiguration().CacheActiveTimeout, configuration.Network.CacheActiveTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), configuration.Network.DeduperExpiry);
        Assert.Equal(TimeSpan.FromSeconds(10), configuration.Network.ListenPollPeriod);
        Assert.Equal(TimeSpan.FromSeconds(10), configuration.ShutdownTimeout);
        Assert.Equal(TimeSpan.FromMilliseconds(10), configuration.PollInterval);
        Assert.Equal(TimeSpan.Zero, configuration.HttpRequestTimeout);
        Assert.Equal(TimeSpan.FromHours(1), configuration.Network.ReverseDnsCacheExpiry);
        Assert.Equal(256, configuration.Network.ReverseDnsCacheLength);
        Assert.Equal(8u * 1024 * 1024, configuration.RingSize);
        Assert.Equal("external", configuration.Network.AgentIPInterface);
        Assert.Null(configuration.Network.AgentIP);
        Assert.False(configuration.Network.Enabled);
        Assert.Equal(TracePrinterKind.Disabled, configuration.TracePrinter);
    }

    [Fact]
    public void Every_default_passes_its_own_check()
    {
        foreach (var setting in Loaded.From().Settings.Where(static setting => setting.Text!.Length > 0))
        {
            Assert.Null(SettingValue.Check(setting) is { } error ? $"{setting.Key.Path}: {error}" : null);
        }
    }
}

using System.Text.Json;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

public sealed class ReportTests
{
    private const string Yaml = "network:\n  sampling: 7\nhealth_check: {port: 9090}\n";

    private static LoadedConfiguration Load() =>
        Loaded.From(Yaml, [("BEYLA_OPEN_PORT", "80"), ("GRAFANA_CLOUD_API_KEY", "hidden")], "--trace-printer", "text");

    [Fact]
    public void Text_has_key_value_and_source()
    {
        var lines = ConfigurationReport.ToText(Load(), all: false).TrimEnd('\n').Split('\n')
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(static words => words[0], static words => string.Join(' ', words[1..]));
        Assert.Equal("80 environment BEYLA_OPEN_PORT", lines["open_port"]);
        Assert.Equal("7 beyla.yml:2:13", lines["network.sampling"]);
        Assert.Equal("text command line --trace-printer", lines["trace_printer"]);
        Assert.Equal("9090 beyla.yml:3:22 (not built)", lines["health_check.port"]);
        Assert.Equal("*** environment GRAFANA_CLOUD_API_KEY", lines["grafana.otlp.cloud_api_key"]);
        Assert.Equal("- default", lines["network.interfaces"]);
        Assert.DoesNotContain("network.geo_ip.cache_expiry", lines.Keys);
        Assert.Equal(KeyIndex.All.Count, ConfigurationReport.ToText(Load(), all: true).Count(static character => character == '\n'));
    }

    [Fact]
    public void Json_has_the_same()
    {
        using var document = JsonDocument.Parse(ConfigurationReport.ToJson(Load(), all: true));
        Assert.Equal(KeyIndex.All.Count, document.RootElement.GetProperty("settings").GetArrayLength());
        var port = document.RootElement.GetProperty("settings").EnumerateArray()
            .Single(static setting => setting.GetProperty("key").GetString() == "open_port");
        Assert.Equal("""{"key":"open_port","value":"80","source":"environment","origin":"BEYLA_OPEN_PORT","built":true}""",
            JsonSerializer.Serialize(port));
        Assert.Equal(1, document.RootElement.GetProperty("warnings").GetArrayLength());
        Assert.Equal(0, document.RootElement.GetProperty("errors").GetArrayLength());
    }

    [Theory]
    [InlineData("", 2, "error: there is nothing to watch")]
    [InlineData("open_port: 80\ntrace_printer: text", 0, "")]
    [InlineData("open_port: x", 2, "error: open_port = \"x\" (beyla.yml:1:12)")]
    public void The_command_answers_whether_the_agent_would_start(string yaml, int code, string expected)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        Assert.Equal(code, ConfigurationReport.Run(Loaded.From(yaml), [], output, errors));
        Assert.StartsWith(expected, errors.ToString());
        Assert.Contains("open_port", output.ToString(), StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(() => ConfigurationReport.Run(Loaded.From(yaml), ["--xml"], output, errors));
    }
}

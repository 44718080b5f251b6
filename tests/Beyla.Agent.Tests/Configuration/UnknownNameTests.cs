namespace Beyla.Agent.Tests.Configuration;

public sealed class UnknownNameTests
{
    [Theory]
    [InlineData("BEYLA_OPEN_PROT", "the variable \"BEYLA_OPEN_PROT\" is unknown and has no effect; did you mean BEYLA_OPEN_PORT?")]
    [InlineData("OTEL_EBPF_OPEN_PORTS",
        "the variable \"OTEL_EBPF_OPEN_PORTS\" is unknown and has no effect; did you mean BEYLA_OPEN_PORT?")]
    [InlineData("BEYLA_TRACE_PRINT", "the variable \"BEYLA_TRACE_PRINT\" is unknown and has no effect; did you mean BEYLA_TRACE_PRINTER?")]
    [InlineData("BEYLA_CONFIG_FILE", "the variable \"BEYLA_CONFIG_FILE\" is unknown and has no effect; did you mean BEYLA_CONFIG_PATH?")]
    [InlineData("BEYLA_WORKER_USR", "the variable \"BEYLA_WORKER_USR\" is unknown and has no effect; did you mean BEYLA_WORKER_USER?")]
    [InlineData("BEYLA_SOMETHING_ELSE_ALTOGETHER", "the variable \"BEYLA_SOMETHING_ELSE_ALTOGETHER\" is unknown and has no effect")]
    public void An_unknown_variable_is_a_warning_with_the_nearest_name(string variable, string expected)
    {
        var loaded = Loaded.Environment((variable, "1"));
        Assert.Equal([expected], loaded.Warnings);
        Assert.Empty(loaded.Problems);
    }

    [Fact]
    public void A_group_of_variables_that_is_not_built_is_one_warning()
    {
        var loaded = Loaded.Environment(("BEYLA_GRAFANA_AI_X", "1"));
        Assert.Equal(
            ["the variable BEYLA_GRAFANA_AI_X belongs to a feature that is not built in this agent and has no effect"], loaded.Warnings);
        Assert.Empty(loaded.Problems);
    }

    [Fact]
    public void A_setting_that_is_refused_is_one_warning_with_its_reason() => Assert.Equal(
        ["network.geo_ip.cache_expiry (environment BEYLA_GEOIP_CACHE_TTL) has no effect here: "
            + "addresses are not looked up in databases of countries and networks; network.cidrs and stats.cidrs name networks"],
        Loaded.Environment(("BEYLA_GEOIP_CACHE_TTL", "1h")).Warnings);

    [Fact]
    public void Every_setting_has_an_effect_or_a_reason()
    {
        Assert.Empty(Agent.Configuration.KeyIndex.All.Where(static key => !key.Built && key.Reason.Length == 0)
            .Select(static key => key.Path));
        Assert.All(Agent.Configuration.KeyIndex.All, static key => Assert.DoesNotContain('|', key.Reason));
    }

    [Fact]
    public void A_standard_exporter_that_is_not_built_is_a_warning()
    {
        var loaded = Loaded.Environment(("OTEL_TRACES_EXPORTER", "otlp,console,x\u001b"));
        Assert.Equal(
            ["the exporter \"x\\x1b\" of the variable OTEL_TRACES_EXPORTER is not built in this agent and has no effect; "
                + "otlp, otlp/stdout, console and none are"],
            loaded.Warnings);
        Assert.Equal(Agent.Configuration.TracePrinterKind.Text, loaded.Configuration.TracePrinter);
    }

    [Theory]
    [InlineData("KUBECONFIG")]
    [InlineData("OTEL_SERVICE_NAME")]
    [InlineData("HOME")]
    [InlineData("BEYLA_REVERSE_DNS_CACHE_TTL")]
    public void These_are_no_warning(string variable) => Assert.Empty(Loaded.Environment((variable, "1h")).Warnings);

    [Theory]
    [InlineData("open_prt: 80", "beyla.yml:1:1: the key \"open_prt\" is unknown and has no effect; did you mean open_port?")]
    [InlineData("network:\n  enabel: true",
        "beyla.yml:2:3: the key \"network.enabel\" is unknown and has no effect; did you mean network.enable?")]
    [InlineData("netwrk:\n  enable: true", "beyla.yml:1:1: the key \"netwrk\" is unknown and has no effect; did you mean network?")]
    [InlineData("ebpf:\n  trace_printer: text",
        "beyla.yml:2:3: the key \"ebpf.trace_printer\" is unknown and has no effect; did you mean trace_printer?")]
    [InlineData("http_request_timeout: 1s",
        "beyla.yml:1:1: the key \"http_request_timeout\" is unknown and has no effect; did you mean ebpf.http_request_timeout?")]
    [InlineData("zzzzzzzzzzzz: 1", "beyla.yml:1:1: the key \"zzzzzzzzzzzz\" is unknown and has no effect")]
    [InlineData("health_check: {port: 9090}",
        "health_check.port (beyla.yml:1:22) has no effect here: "
            + "nothing listens for questions about health; the exit code and the log of the agent tell")]
    [InlineData("discovery: {survey: [{exe_path: x}]}",
        "discovery.survey (beyla.yml:1:21) has no effect here: there is no metric of processes that are not traced; "
            + "beyla config and the log name those that are")]
    [InlineData("network: {reverse_dns: {type: ebpf}}",
        "network.reverse_dns.type = \"ebpf\" (beyla.yml:1:31) is not built in this agent; names are not looked up")]
    public void A_key_in_the_file_is_a_warning_with_its_place(string yaml, string expected)
    {
        var loaded = Loaded.From(yaml);
        Assert.Equal([expected], loaded.Warnings);
        Assert.Empty(loaded.Problems);
    }

    [Fact]
    public void The_table_holds_every_setting_of_the_peer()
    {
        // 281 settings of the peer, the section sigil_export as one, its older spelling of context propagation, six of our own, and
        // nineteen of the OpenTelemetry specification that the peer leaves to its library.
        Assert.Equal(308, Agent.Configuration.KeyIndex.All.Count);
        Assert.Equal(308, Agent.Configuration.KeyIndex.All.Select(static key => key.Path).Distinct().Count());
        Assert.All(Agent.Configuration.KeyIndex.All, static key => Assert.All(key.Variables, variable =>
            Assert.Contains(key, Agent.Configuration.KeyIndex.FindByVariable(variable))));
    }

    [Fact]
    public void The_page_lists_every_setting_where_it_belongs()
    {
        var page = File.ReadAllText(Documents.Page.PathOf("configuration.md"));
        Assert.Equal(Known(built: true), Rows(Section(page, "\n## Keys\n")));
        Assert.Equal(Known(built: false), Rows(Section(page, "\n## Known and not built\n")));
    }

    private static IEnumerable<string> Known(bool built) =>
        Agent.Configuration.KeyIndex.All.Where(key => key.Built == built)
            .Select(static key => key.Path).Order(StringComparer.OrdinalIgnoreCase);

    /// <summary>The first cell of each row of the tables.</summary>
    private static IEnumerable<string> Rows(string section) => section.Split('\n')
        .Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(static line => line.Split('`')[1]).Order(StringComparer.OrdinalIgnoreCase);

    private static string Section(string page, string title)
    {
        var start = page.IndexOf(title, StringComparison.Ordinal) + title.Length;
        var end = page.IndexOf("\n## ", start, StringComparison.Ordinal);
        return end < 0 ? page[start..] : page[start..end];
    }
}

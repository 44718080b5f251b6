using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

public sealed class YamlTests
{
    [Theory]
    [InlineData("a: [", "beyla.yml:2:1: not valid YAML")]
    [InlineData("open_port: 80\nopen_port: 81", "beyla.yml:2:1: the key \"open_port\" occurs twice")]
    [InlineData("- 1", "beyla.yml:1:1: settings such as \"open_port: 8080\" are expected")]
    [InlineData("a: 1\n---\nb: 1", "beyla.yml:2:1: a second document begins here, one is allowed")]
    [InlineData("<<: {a: 1}", "beyla.yml:1:1: merge keys (<<) are not supported")]
    [InlineData("a: *x", "beyla.yml:1:4: the alias *x has no anchor before it")]
    [InlineData("network: 5", "beyla.yml:1:10: network holds settings, a mapping is expected")]
    [InlineData("? [a, b]\n: 1", "beyla.yml:1:3: a key must be a plain name")]
    [InlineData("open_port: {a: 1}", "open_port = \"{a: 1}\" (beyla.yml:1:12): a single value or a list is expected")]
    [InlineData("trace_printer: [text]", "trace_printer = \"[text]\" (beyla.yml:1:16): a single value is expected")]
    [InlineData("open_port: 8a", "open_port = \"8a\" (beyla.yml:1:12): \"8a\" is neither a number nor a range such as 8000-8999")]
    public void Errors_name_file_line_and_column(string yaml, string expected) =>
        Assert.StartsWith(expected, Assert.Single(Loaded.From(yaml).Problems));

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n")]
    [InlineData("~")]
    [InlineData("network:\nopen_port:\n")]
    [InlineData("\ufeffnetwork: {}\n")]
    public void Nothing_is_set_by(string yaml)
    {
        var loaded = Loaded.From(yaml);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        Assert.All(loaded.Settings, static setting => Assert.Equal(SettingSource.Default, setting.Origin.Source));
    }

    [Fact]
    public void Anchors_and_aliases_work()
    {
        var loaded = Loaded.From("open_port: &p 8080\ndiscovery: {instrument: [{open_ports: *p}]}");
        Assert.Empty(loaded.Problems);
        Assert.All(loaded.Configuration.Selection.Rules, static rule => Assert.Equal("8080", rule.OpenPorts.ToString()));
        Assert.Equal(2, loaded.Configuration.Selection.Rules.Count);
    }

    [Fact]
    public void An_alias_bomb_is_refused_at_once()
    {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
        for (var i = 1; i < 12; i++)
        {
            yaml += $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat("*a" + (i - 1), 9))}]\n";
        }

        Assert.EndsWith("more than 50000 values, aliases included", Assert.Single(Loaded.From(yaml).Problems));
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void Deep_nesting_is_refused_at_once(char bracket) =>
        Assert.Matches(
            "nested more than 32 deep|not valid YAML", Assert.Single(Loaded.From("a: " + new string(bracket, 1_000_000)).Problems));

    [Theory]
    [InlineData("${PORT}", "8080")]
    [InlineData("${env:PORT}", "8080")]
    [InlineData("${PORT:-1}", "8080")]
    [InlineData("${NOTHING:-1}", "1")]
    [InlineData("${EMPTY:-1}", "1")]
    [InlineData("80,${PORT}", "80,8080")]
    [InlineData("${PORT},${PORT}", "8080,8080")]
    public void Variables_are_replaced(string value, string expected)
    {
        var loaded = Loaded.From("open_port: " + value, [("PORT", "8080"), ("EMPTY", "")]);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(expected, Assert.Single(loaded.Configuration.Selection.Rules).OpenPorts.ToString());
    }

    [Theory]
    [InlineData("$${PORT}", "${PORT}")]
    [InlineData("$PORT", "$PORT")]
    [InlineData("a${}", "a${}")]
    [InlineData("a${1A}", "a${1A}")]
    [InlineData("a${PORT", "a${PORT")]
    public void These_are_no_variables(string value, string expected) =>
        Assert.Equal(expected, Loaded.From("service_name: " + value, [("PORT", "8080")]).Setting("service_name").Text);

    [Fact]
    public void An_unset_variable_without_default_is_a_warning() =>
        Assert.Equal(["beyla.yml:2: the variable PORT is not set, ${PORT} is replaced by nothing; ${PORT:-default} gives a default"],
            Loaded.From("\nopen_port: ${PORT}").Warnings);

    [Fact]
    public void A_variable_cannot_add_settings() =>
        Assert.Contains("has a control character or a line break",
            Assert.Single(Loaded.From("open_port: ${P}", [("P", "80\nenforce_sys_caps: false")]).Problems), StringComparison.Ordinal);
}

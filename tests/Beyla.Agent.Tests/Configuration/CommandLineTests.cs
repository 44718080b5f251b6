using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

public sealed class CommandLineTests
{
    private static readonly string[] Commands = ["config", "capability"];

    [Fact]
    public void Options_set_settings()
    {
        var line = CommandLine.Parse(
            ["--open-port", "80", "--executable=*x", "--pid", "1", "--language", "go", "--trace-printer=text", "--network",
                "--network-source", "tc",
                "--print-flows", "--log-level", "WARN", "--enforce-sys-caps", "--set", "network.sampling=5", "--config", "a.yml"],
            Commands);
        Assert.Equal(
            ["open_port=80", "AutoTargetExe=*x", "target_pids=1", "AutoTargetLanguage=go", "trace_printer=text",
                "network.enable=true", "network.source=tc",
                "network.print_flows=true", "log_level=WARN", "enforce_sys_caps=true", "network.sampling=5"],
            line.Settings.Select(static setting => setting.Key + "=" + setting.Value));
        Assert.Equal("a.yml", line.ConfigurationFile);
        Assert.Null(line.Command);
        Assert.False(line.Help || line.Version);
    }

    [Theory]
    [InlineData("-h")]
    [InlineData("--help")]
    [InlineData("config --help")]
    [InlineData("--nonsense --help")]
    public void Help_wins_over_everything(string line) => Assert.True(CommandLine.Parse(line.Split(' '), Commands).Help);

    [Theory]
    [InlineData("-V")]
    [InlineData("--version")]
    public void Version(string line) => Assert.True(CommandLine.Parse([line], Commands).Version);

    [Fact]
    public void The_file_can_be_named_as_the_peer_does() =>
        Assert.Equal("b.yml", CommandLine.Parse(["-config", "b.yml"], Commands).ConfigurationFile);

    [Fact]
    public void A_switch_can_be_turned_off() =>
        Assert.Equal("false", Assert.Single(CommandLine.Parse(["--network=false"], Commands).Settings).Value);

    [Fact]
    public void Commands_get_what_is_not_common()
    {
        var line = CommandLine.Parse(["--open-port", "80", "capability", "set", "--minimal", "--network", "--file=x", "y"], Commands);
        Assert.Equal("capability", line.Command);
        Assert.Equal(["set", "--minimal", "--file=x", "y"], line.Remaining);
        Assert.Equal(["open_port", "network.enable"], line.Settings.Select(static setting => setting.Key));
    }

    [Theory]
    [InlineData("--open-prt 80", "the option \"--open-prt\" is unknown; did you mean --open-port?")]
    [InlineData("-x", "the option \"-x\" is unknown; see beyla --help")]
    [InlineData("confg", "\"confg\" is not a command; did you mean config?")]
    [InlineData("run", "\"run\" is not a command; see beyla --help")]
    [InlineData("--config", "the option --config needs a value")]
    [InlineData("--open-port", "the option --open-port needs a value")]
    [InlineData("--set open_port", "--set \"open_port\": KEY=VALUE is expected, such as --set network.sampling=10")]
    [InlineData("--set =5", "--set \"=5\": KEY=VALUE is expected, such as --set network.sampling=10")]
    [InlineData("--set open_prt=5", "--set \"open_prt\": there is no such setting; did you mean open_port?")]
    [InlineData("--set zzz=5", "--set \"zzz\": there is no such setting; beyla config --all lists them")]
    public void Bad_usage_says_what_is_wrong(string line, string expected)
    {
        var failure = Assert.Throws<ConfigurationException>(() => CommandLine.Parse(line.Split(' '), Commands));
        Assert.Equal(expected, failure.Problems[0]);
    }

    [Fact]
    public void Help_fits_100_columns_and_names_codes_signals_and_options()
    {
        var help = HelpText.Make([("capability test", "what this configuration may do here")]);
        Assert.All(help.Split('\n'), static line => Assert.InRange(line.Length, 0, 100));
        foreach (var word in (string[])["capability test", "--open-port PORTS", "--set KEY=VALUE", "SIGUSR1", "SIGTERM",
            "BEYLA_OPEN_PORT", "BEYLA_CONFIG_PATH",
            "  0  stopped", "  1  failed", "  2  bad usage", "  3  capabilities"])
        {
            Assert.Contains(word, help, StringComparison.Ordinal);
        }
    }
}

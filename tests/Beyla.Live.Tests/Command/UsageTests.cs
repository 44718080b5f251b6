using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Command;

/// <summary>The command line and what it says about wrong use.</summary>
public sealed class UsageTests
{
    [LiveTheory]
    [InlineData("BEYLA_OPEN_PORT", "eighty")]
    [InlineData("BEYLA_OPEN_PORT", "70000")]
    [InlineData("BEYLA_TRACE_PRINTER", "loud")]
    [InlineData("BEYLA_BPF_HTTP_REQUEST_TIMEOUT", "soon")]
    public async Task A_bad_value_is_named_and_nothing_starts(string variable, string value)
    {
        AgentSettings settings = AgentSettings.ForPorts(FreePort.Next()).With(variable, value) with { ReadsAsText = true };
        await using AgentProcess agent = AgentProcess.Launch(settings);

        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(variable, agent.Errors, StringComparison.Ordinal);
        Assert.Contains(value, agent.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(AgentLog.Ready, agent.Errors, StringComparison.Ordinal);
    }

    /// <summary>
    /// Exactly one error for one mistake, however the agent is asked: to run, for its configuration, for its capabilities.
    /// </summary>
    [LiveTheory]
    [InlineData("open_port: 80-", 1)]
    [InlineData("open_port: [80", 1)]
    [InlineData("open_port: 80\nopen_port: 81", 1)]
    [InlineData("open_port: 80\ntrace_printer: loud", 1)]
    [InlineData("network: {reverse_dns: {type: magic}}", 1)]
    [InlineData("open_port: 80-\ntrace_printer: loud", 2)]
    [InlineData(null, 1)]
    public async Task One_cause_is_one_error(string? yaml, int expected)
    {
        using TempDirectory files = new();
        string file = yaml is null ? Path.Combine(files.Path, "none.yml") : files.Write("beyla.yml", yaml);
        foreach (string[] command in (string[][])[[], ["config"], ["capability", "test"], ["capability", "set", "--minimal"],
            ["capability", "export", "--format", "docker"], ["export", "--to", "otlp-json"]])
        {
            await using AgentProcess agent = AgentProcess.Launch(
                new AgentSettings { ReadsAsText = true, Arguments = [.. command, "--config", file] });
            Assert.Equal(2, await agent.WaitForExitAsync(TimeSpan.FromSeconds(20)));
            string[] lines = [.. agent.ErrorLines];
            string[] errors = [.. lines.Where(
                line => line.Contains("level=ERROR", StringComparison.Ordinal) || line.StartsWith("error: ", StringComparison.Ordinal))];
            Assert.True(errors.Length == expected && lines.Length == expected, $"{string.Join(' ', command)}: {agent.Errors}");
        }
    }

    [LiveTheory]
    [InlineData("BEYLA_OPEN_PORT", "80-")]
    [InlineData("BEYLA_REVERSE_DNS_TYPE", "magic")]
    public async Task One_wrong_variable_is_one_error(string variable, string value)
    {
        foreach (string[] command in (string[][])[[], ["config"]])
        {
            await using AgentProcess agent = AgentProcess.Launch(
                new AgentSettings { ReadsAsText = true, Arguments = command }.With(variable, value));
            Assert.Equal(2, await agent.WaitForExitAsync(TimeSpan.FromSeconds(20)));
            Assert.Contains(variable, Assert.Single(agent.ErrorLines), StringComparison.Ordinal);
        }
    }

    [LiveFact]
    public async Task An_unknown_option_with_a_value_is_one_error_and_a_comment_has_no_variables()
    {
        await using AgentProcess unknown = AgentProcess.Launch(
            new AgentSettings { ReadsAsText = true, Arguments = ["--nonsense", "value"] });
        Assert.Equal(2, await unknown.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("--nonsense", Assert.Single(unknown.ErrorLines), StringComparison.Ordinal);

        using TempDirectory files = new();
        string file = files.Write("beyla.yml", "# port: ${UNSET}\nopen_port: 80 # ${UNSET}\ntrace_printer: text\n");
        await using AgentProcess agent = AgentProcess.Launch(
            new AgentSettings { ReadsAsText = true, Arguments = ["config", "--config", file] });
        Assert.Equal(0, await agent.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal("", agent.Errors);
    }

    [LiveFact]
    public async Task Nothing_selected_is_bad_usage()
    {
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings().With("BEYLA_TRACE_PRINTER", "text"));
        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("BEYLA_OPEN_PORT", agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact]
    public async Task An_unknown_variable_is_a_warning_with_the_nearest_name()
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_OPEN_PROT", "80"));
        await agent.StopAsync();
        string warning = Assert.Single(agent.ErrorLines, line => line.Contains("BEYLA_OPEN_PROT", StringComparison.Ordinal));
        Assert.Contains("level=WARN", warning, StringComparison.Ordinal);
        Assert.Contains("BEYLA_OPEN_PORT", warning, StringComparison.Ordinal);
    }

    [LiveTheory]
    [InlineData("--help", "BEYLA_OPEN_PORT")]
    [InlineData("--version", "0.")]
    public async Task Asks_that_need_nothing(string argument, string answer)
    {
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings { Arguments = [argument] });
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(answer, agent.Output, StringComparison.Ordinal);
        Assert.Equal("", agent.Errors);
    }

    [LiveFact]
    public async Task An_unknown_argument_is_bad_usage()
    {
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings { Arguments = ["--nonsense"] });
        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("--nonsense", agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact]
    public async Task The_effective_configuration_names_its_sources()
    {
        using TempDirectory files = new();
        string file = files.Write("beyla.yml", "trace_printer: text\nopen_port: 8443\n");
        AgentSettings settings = new AgentSettings { Arguments = ["config", "--config", file] }.With("BEYLA_OPEN_PORT", "8080");
        await using AgentProcess agent = AgentProcess.Launch(settings);

        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("8080", agent.Output, StringComparison.Ordinal);
        Assert.Contains("BEYLA_OPEN_PORT", agent.Output, StringComparison.Ordinal);
        Assert.Contains(file, agent.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("8443", agent.Output, StringComparison.Ordinal);
    }
}

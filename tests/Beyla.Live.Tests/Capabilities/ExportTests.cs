using System.Text.Json;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Flows;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>What <c>beyla capability export</c> writes, read by the programs that it is for.</summary>
public sealed class ExportTests
{
    public static TheoryData<string> Scenarios() => [.. ScenarioCase.All.Select(scenario => scenario.Name)];

    [LiveTheory("systemd-analyze"), MemberData(nameof(Scenarios))]
    public async Task Systemd_takes_the_unit(string scenario)
    {
        using TempDirectory directory = new();
        string unit = directory.Write(
            "beyla.service", await ExportAsync("--format", "systemd", "--scenario", scenario, "--file", Repository.Agent));
        Assert.Equal("", (await Tool.RunAsync("systemd-analyze", "verify", "--man=no", unit)).Trim());
    }

    [YamlTheory, MemberData(nameof(Scenarios))]
    public async Task A_yaml_reader_finds_the_manifests_whole(string scenario)
    {
        using TempDirectory directory = new();
        string file = directory.Write(
            "beyla.yml", await ExportAsync("--format", "kubernetes", "--scenario", scenario, "--image", "registry/it's: #1"));
        using JsonDocument manifests = JsonDocument.Parse(await YamlReader.ToJsonAsync(file));
        JsonElement map = manifests.RootElement[0], set = manifests.RootElement[1];
        Assert.Equal(("ConfigMap", "DaemonSet", 2),
            (map.GetProperty("kind").GetString(), set.GetProperty("kind").GetString(), manifests.RootElement.GetArrayLength()));
        Assert.All(map.GetProperty("data").EnumerateObject(), variable =>
            Assert.Equal(
                (JsonValueKind.String, true), (variable.Value.ValueKind, variable.Name.StartsWith("BEYLA_", StringComparison.Ordinal))));
        JsonElement container = set.GetProperty("spec").GetProperty("template").GetProperty("spec").GetProperty("containers")[0];
        Assert.Equal("registry/it's: #1", container.GetProperty("image").GetString());
        Assert.Equal("beyla", container.GetProperty("envFrom")[0].GetProperty("configMapRef").GetProperty("name").GetString());
        JsonElement context = container.GetProperty("securityContext");
        Assert.True(context.GetProperty("readOnlyRootFilesystem").GetBoolean());
        JsonElement capabilities = context.GetProperty("capabilities");
        Assert.Equal("[\"ALL\"]", capabilities.GetProperty("drop").GetRawText());
        Assert.Equal(
            ScenarioCase.Find(scenario).Listed.Split(',').Select(name => name["cap_".Length..].ToUpperInvariant()).Order(),
            capabilities.GetProperty("add").EnumerateArray().Select(name => name.GetString()).Order());
    }

    [LiveFact]
    public async Task The_configuration_that_is_given_is_carried()
    {
        string text = await ExportAsync("--format", "docker", "--open-port", "80,8000-8010", "--trace-printer", "json");
        Assert.Contains("--env BEYLA_OPEN_PORT=80,8000-8010 \\\n", text, StringComparison.Ordinal);
        Assert.Contains("--env BEYLA_TRACE_PRINTER=json \\\n", text, StringComparison.Ordinal);
    }

    /// <summary>Each way in which a version of the documentation asks for propagation.</summary>
    [LiveTheory]
    [InlineData("BEYLA_BPF_ENABLE_CONTEXT_PROPAGATION", "1", true)]
    [InlineData("BEYLA_ENABLE_CONTEXT_PROPAGATION", "all", true)]
    [InlineData("BEYLA_BPF_CONTEXT_PROPAGATION", "headers,tcp", true)]
    [InlineData("BEYLA_BPF_CONTEXT_PROPAGATION", "disabled", false)]
    public async Task Propagation_lists_net_admin(string variable, string value, bool listed)
    {
        await using AgentProcess agent = AgentProcess.Launch(
            new AgentSettings { Arguments = ["capability", "export", "--format", "docker"] }
            .With("BEYLA_OPEN_PORT", "80").With(variable, value));
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Equal(listed, agent.Output.Contains("--cap-add NET_ADMIN ", StringComparison.Ordinal));
    }

    /// <summary>The unit's system call filter, against what the agent really calls.</summary>
    [LiveTheory("strace", "systemd-analyze", "python3")]
    [InlineData("BEYLA_OPEN_PORT")]
    [InlineData("BEYLA_NETWORK_METRICS")]
    public async Task The_units_filter_allows_what_the_agent_calls(string mode)
    {
        Dictionary<string, string[]> groups = Groups(await Tool.RunAsync("systemd-analyze", "syscall-filter"));
        HashSet<string> allowed =
        [
            .. Expand("@system-service"), "bpf", "capset",
            "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
        ];
        Assert.Contains(
            "\nSystemCallFilter=@system-service bpf capset\n"
            + "SystemCallFilter=seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self\n",
            await ExportAsync("--format", "systemd", "--scenario", "application"), StringComparison.Ordinal);

        using TempDirectory directory = new();
        string calls = Path.Combine(directory.Path, "calls");
        await using TestServer server = await ServerKinds.PythonAsync();
        await using FlowLab lab = await FlowLab.CreateAsync();
        AgentSettings settings = mode == "BEYLA_OPEN_PORT" ? AgentSettings.ForPorts(server.Port) : lab.Agent("tc");
        await using AgentProcess agent = await AgentProcess.StartAsync(
            settings with { Prefix = [.. settings.Prefix, Tool.Find("strace"), "-f", "-qq", "-o", calls] });
        if (mode == "BEYLA_OPEN_PORT")
        {
            await HttpRequests.SendAsync(server.Port, 5);
        }
        // strace hands the signal of its own end on to what it runs.
        int child = int.Parse(
            (await Tool.RunAsync("ps", "-o", "pid=", "--ppid", $"{agent.Pid}")).Trim(), System.Globalization.CultureInfo.InvariantCulture);
        await Tool.RunAsync("kill", "-USR1", $"{child}");
        await Task.Delay(300);
        await Tool.RunAsync("kill", "-INT", $"{child}");
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));

        // execve is what starts it, before the filter counts.
        string[] called = [.. Regex.Matches(await File.ReadAllTextAsync(calls), @"(?m)^\d+ +([a-z_0-9]+)\(")
            .Select(match => match.Groups[1].Value).Distinct().Order()];
        Assert.Contains("bpf", called);
        Assert.Contains("capset", called);
        Assert.Empty(called.Except(allowed));

        IEnumerable<string> Expand(string name) => groups[name].SelectMany(member => member[0] == '@' ? Expand(member) : [member]);
    }

    private static Dictionary<string, string[]> Groups(string text) => Regex.Matches(text, @"(?m)^(@[a-z0-9-]+)\n((?:    .*\n|\n)*)")
        .ToDictionary(match => match.Groups[1].Value,
            match => match.Groups[2].Value.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#').ToArray());

    private static async Task<string> ExportAsync(params string[] arguments)
    {
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings { Arguments = ["capability", "export", .. arguments] });
        int status = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 0, agent.Errors);
        return agent.Output + "\n";
    }
}

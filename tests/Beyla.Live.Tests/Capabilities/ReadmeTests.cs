using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Export;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>The first steps of the README, as a new user takes them: its own lines, run on a copy of the agent.</summary>
public sealed class ReadmeTests
{
    [LiveFact("python3", "getcap", "setpriv", "otlp-receiver")]
    public async Task Its_lines_give_what_is_needed_and_an_ordinary_user_traces_and_sees_flows()
    {
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "README.md"));
        Assert.DoesNotContain(
            lines, line => line.Contains("setcap ", StringComparison.Ordinal) || line.Contains("+ep", StringComparison.Ordinal));
        string[] steps = [.. lines.Where(line => line.StartsWith("sudo out/bin/beyla capability set ", StringComparison.Ordinal))];
        Assert.Equal(2, steps.Length);
        string[] runs = [.. lines.Where(
            line => line.EndsWith(" out/bin/beyla", StringComparison.Ordinal) && line.StartsWith("BEYLA_", StringComparison.Ordinal))];
        Assert.Equal(3, runs.Length);

        using OrdinaryUser user = await OrdinaryUser.CreateAsync("");
        await using TestServer server = await ServerKinds.PythonAsync();
        await StepAsync(user, steps[0]);
        Assert.Equal(
            $"{user.Binary} cap_dac_read_search,cap_sys_ptrace,cap_perfmon,cap_bpf=p", (await Tool.RunAsync("getcap", user.Binary)).Trim());
        AgentSettings tracing = Variables(runs[0], server.Port);
        await using (AgentProcess agent = await AgentProcess.StartAsync(user.Run(tracing with { ReadsAsText = true })))
        {
            await HttpRequests.SendAsync(server.Port, 20);
            Assert.True(await Wait.UntilAsync(() => Count(agent.Output, " 200 GET /hello ") >= 20, TimeSpan.FromSeconds(20)), agent.Output);
            await agent.StopAsync();
            Assert.Equal(20, Count(agent.Output, " HTTP(subType=0) 200 GET /hello "));
            Assert.DoesNotContain("level=WARN", agent.Errors, StringComparison.Ordinal);
        }

        await ExportAsync(user, runs[1], server);
        await StepAsync(user, steps[1]);
        Assert.Equal($"{user.Binary} cap_dac_read_search,cap_net_raw,cap_sys_ptrace,cap_perfmon,cap_bpf=p",
            (await Tool.RunAsync("getcap", user.Binary)).Trim());
        await using (AgentProcess agent = await AgentProcess.StartAsync(
            user.Run(Variables(runs[2], server.Port) with { ReadsAsText = true })))
        {
            await agent.StopAsync();
            Assert.DoesNotContain("level=WARN", agent.Errors, StringComparison.Ordinal);
        }

        // The second step took nothing of the first one away.
        await using (AgentProcess agent = await AgentProcess.StartAsync(user.Run(tracing with { ReadsAsText = true })))
        {
            await agent.StopAsync();
            Assert.DoesNotContain("level=WARN", agent.Errors, StringComparison.Ordinal);
        }
    }

    // To a receiver and a page of the test's own, in place of those at the usual ports.
    private static async Task ExportAsync(OrdinaryUser user, string line, TestServer server)
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        int page = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(Variables(line, server.Port) with { ReadsAsText = true })
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.HttpUrl)
            .With("BEYLA_PROMETHEUS_PORT", page.ToString(CultureInfo.InvariantCulture)));
        await HttpRequests.SendAsync(server.Port, 20);
        await receiver.WaitForSpansAsync(20);
        using HttpClient client = new();
        string metrics = await client.GetStringAsync(new Uri($"http://127.0.0.1:{page}/metrics"));
        string[] counts = [.. metrics.Split('\n').Where(
            sample => sample.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal))];
        Assert.EndsWith(" 20", Assert.Single(counts), StringComparison.Ordinal);
        await agent.StopAsync();
        Assert.Equal(20, receiver.Spans.Count);
        Assert.DoesNotContain("level=WARN", agent.Errors, StringComparison.Ordinal);
    }

    // What sudo would run, by root.
    private static async Task StepAsync(OrdinaryUser user, string line)
    {
        string[] words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        await using AgentProcess agent = AgentProcess.Launch(new AgentSettings { Binary = user.Binary, Arguments = words[2..] });
        Assert.True(await agent.WaitForExitAsync(TimeSpan.FromSeconds(20)) == 0, agent.Errors);
    }

    private static AgentSettings Variables(string line, int port)
    {
        AgentSettings settings = new();
        foreach (string word in line.Split(' ')[..^1])
        {
            settings = settings.With(word.Split('=')[0],
                word.Split('=')[1].Replace("8080", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        }

        return settings;
    }

    private static int Count(string text, string piece) => text.Split(piece).Length - 1;
}

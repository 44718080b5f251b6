using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>
/// One user makes far more events of processes than the ring holds, while the agent stands still and reads none. Another user's service
/// that starts then is traced from its first request on; one of the same user a little later.
/// </summary>
public sealed class StormTests
{
    private const string Lost = "Events of processes were lost";
    private const string Attacker = "65534", Victim = "65533";

    [LiveFact("gcc", "setpriv", "nginx")]
    public async Task Listens_that_no_rule_names_are_not_told()
    {
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port));
        await StormAsync(Attacker, "listen", Text(FreePort.Next()), "19000");
        agent.Signal(ChildProcess.SIGUSR1);
        Assert.True(await Wait.UntilAsync(() => agent.Counters.ContainsKey("spans"), TimeSpan.FromSeconds(20)), agent.Errors);
        Assert.Equal(0, agent.Counters["watcher events"].Produced);

        await using TestServer server = await Nginx.StartAsync(port: port);
        await HttpRequests.SendAsync(port, 10);
        await agent.WaitForServerSpansAsync(10);
        await agent.StopAsync();
    }

    [LiveTheory("gcc", "setpriv"), InlineData("listen"), InlineData("exec")]
    public async Task A_storm_of_one_user_takes_nothing_from_another(string storm)
    {
        using Lab lab = await Lab.CreateAsync();
        await using AgentProcess agent = await lab.StartAgentAsync();
        agent.Pause();
        await lab.StormAsync(Attacker, storm);
        await using TestServer server = await lab.StartServerAsync(Victim);
        agent.Resume();
        await HttpRequests.SendAsync(server.Port, 10);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(10, TimeSpan.FromSeconds(30));
        Assert.All(spans, span => Assert.Equal((server.Port, "victim"), (span.ServerPort, span.ServiceName)));
        await AssertSaysLostAsync(agent);
        await agent.StopAsync(ChildProcess.SIGINT, "watcher");
        Assert.True(agent.Counters["watcher events"].Lost > 0);
    }

    [LiveTheory("gcc", "setpriv"), InlineData("listen"), InlineData("exec")]
    public async Task A_service_whose_event_was_lost_is_found(string storm)
    {
        using Lab lab = await Lab.CreateAsync();
        await using AgentProcess agent = await lab.StartAgentAsync();
        agent.Pause();
        await lab.StormAsync(Attacker, storm);
        await using TestServer server = await lab.StartServerAsync(Attacker);
        agent.Resume();
        long deadline = Environment.TickCount64 + 40_000;
        while (agent.Spans.Count == 0 && Environment.TickCount64 < deadline)
        {
            await HttpRequests.SendAsync(server.Port, 1, "/wait");
            await Task.Delay(50);
        }

        Assert.True(agent.Spans.Count > 0, agent.Errors);
        await HttpRequests.SendAsync(server.Port, 10, "/found");
        await agent.WaitForSpansAsync(10, span => span is { Kind: SpanKind.Server, Path: "/found", ServiceName: "victim" });
        // It may have been found before that was said: where its setpriv was told, and looked at when it was itself by then.
        await AssertSaysLostAsync(agent);
        await agent.StopAsync(ChildProcess.SIGINT, "watcher");
    }

    private static async Task AssertSaysLostAsync(AgentProcess agent) => Assert.True(
        await Wait.UntilAsync(() => agent.Errors.Contains(Lost, StringComparison.Ordinal), Wait.Hang), agent.Errors);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string[] As(string user) => [$"--reuid={user}", $"--regid={user}", "--clear-groups", "--"];

    private static async Task StormAsync(string user, params string[] arguments) =>
        await Tool.RunAsync("setpriv", [.. As(user), await NativeProgram.BuildAsync("storm", "-static"), .. arguments]);

    /// <summary>A service of an executable of its own, the agent that selects by it, and a port that some rule names.</summary>
    private sealed class Lab : IDisposable
    {
        private readonly TempDirectory files = new();
        private readonly int named = FreePort.Next();

        private string Program => Path.Combine(files.Path, "victim");

        public static async Task<Lab> CreateAsync()
        {
            Lab lab = new();
            File.Copy(await NativeProgram.BuildAsync("traffic"), lab.Program);
            return lab;
        }

        public Task<AgentProcess> StartAgentAsync()
        {
            string file = files.Write("beyla.yml", $"""
                discovery:
                  instrument:
                    - exe_path: {Program}
                    - open_ports: {named}
                      exe_path: /nowhere/*
                """);
            // With such a rule each program that starts is traced until it is judged, whoever starts it: what others on this machine send
            // while the agent stands still needs room too.
            return AgentProcess.StartAsync(AgentSettings.For("BEYLA_TRACE_PRINTER", "json").With("BEYLA_BPF_RING_SIZE", "67108864") with
            {
                Arguments = ["--config", file],
            });
        }

        /// <summary>
        /// Each program is three events, and half of the ring, which one user may take, holds 1,680: more takes long on a busy machine.
        /// </summary>
        public Task StormAsync(string user, string kind) =>
            kind == "listen" ? StormTests.StormAsync(user, kind, Text(named), "19000") : StormTests.StormAsync(user, kind, "1500");

        public Task<TestServer> StartServerAsync(string user)
        {
            int port = FreePort.Next();
            return TestServer.StartAsync(port, [Tool.Find("setpriv"), .. As(user), Program, "serve", Text(port), "recv"]);
        }

        public void Dispose() => files.Dispose();
    }
}

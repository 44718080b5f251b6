using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>Services that name themselves and then write a title over their environment, so that only execve knows.</summary>
public sealed class NameTests
{
    private const string Hidden = "has written over its environment";

    private static readonly KeyValuePair<string, string>[] Named =
        [new("OTEL_SERVICE_NAME", "edge-proxy"), new("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=eu")];

    [LiveTheory("nginx"), SocketSources]
    public async Task Nginx_keeps_its_name_and_gives_it_to_its_workers(string source)
    {
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port).WithSource(source));
        await using TestServer server = await Nginx.StartAsync(workers: 2, port: port, environment: Named);
        await HttpRequests.SendAsync(port, 20);
        await agent.WaitForServerSpansAsync(20);
        int[] workers = ChildProcessIds.Of(server.Pid);
        server.Process.Signal(ChildProcess.SIGHUP);
        Assert.True(await Wait.UntilAsync(
            () => ChildProcessIds.Of(server.Pid) is { Length: 2 } now && !now.Intersect(workers).Any(), TimeSpan.FromSeconds(20)));
        await HttpRequests.SendAsync(port, 20);

        Assert.All(
            await agent.WaitForServerSpansAsync(40), span => Assert.Equal(("edge-proxy", "eu"), (span.ServiceName, span.ServiceNamespace)));
        Assert.DoesNotContain(Hidden, agent.Errors, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    /// <summary>The title is there before the child that listens is: by then nobody can read the name any more.</summary>
    [LiveTheory("gcc", "setcap", "setpriv")]
    [InlineData("port", false)]
    [InlineData("executable", false)]
    [InlineData("port", true)]
    public async Task A_daemon_that_titles_itself_first_keeps_its_name(string selection, bool ordinaryUser)
    {
        using TempDirectory files = new();
        using CapableAgent capable = await CapableAgent.CreateAsync("cap_bpf,cap_perfmon+ep");
        string program = await CopyAsync(files);
        int port = FreePort.Next();
        AgentSettings settings = selection == "port" ? AgentSettings.ForPorts(port) : AgentSettings.For("BEYLA_AUTO_TARGET_EXE", program);
        await using AgentProcess agent = await AgentProcess.StartAsync(ordinaryUser ? capable.Run(settings) : settings);
        await using TestServer server = await StartAsync(port, Named, program);
        await HttpRequests.SendAsync(port, 5, connections: 1);

        Assert.All(
            await agent.WaitForServerSpansAsync(5), span => Assert.Equal(("edge-proxy", "eu"), (span.ServiceName, span.ServiceNamespace)));
        Assert.DoesNotContain(Hidden, agent.Errors, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    /// <summary>Another program has another environment: the name of the one before does not stay.</summary>
    [LiveFact("gcc", "env")]
    public async Task A_name_does_not_outlive_its_program()
    {
        using TempDirectory files = new();
        string program = await CopyAsync(files);
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port));
        // The start of a process is known to a hundredth of a second: one in that of the agent's may have been before it.
        await Task.Delay(TimeSpan.FromMilliseconds(20));
        await using TestServer server = await StartAsync(
            port, Named, Tool.Find("env"), "-u", "OTEL_SERVICE_NAME", "-u", "OTEL_RESOURCE_ATTRIBUTES", program);
        await HttpRequests.SendAsync(port, 1);

        Assert.Equal(
            ("titled", ""), (await agent.WaitForServerSpanAsync()) is var span ? (span.ServiceName, span.ServiceNamespace) : default);
        // It began when its name would have been seen: there is none to miss.
        Assert.DoesNotContain(Hidden, agent.Errors, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    /// <summary>
    /// At the start, in the middle, behind much else, and longer than the kernel side keeps: the last is read from /proc.
    /// </summary>
    [LiveTheory("python3")]
    [InlineData(0, 0)]
    [InlineData(0, 900)]
    [InlineData(0, 1200)]
    [InlineData(0, 9000)]
    [InlineData(1500, 0)]
    [InlineData(4000, 900)]
    public async Task A_name_is_found_wherever_it_stands(int others, int longer)
    {
        List<KeyValuePair<string, string>> environment =
            [new("A", new string('a', 70_000)), new("OTEL_SERVICE_NAMES", "wrong"), new("XOTEL_SERVICE_NAME", "wrong")];
        for (int i = 0; i < others; i++)
        {
            environment.Add(new($"V{i}", i % 2 == 0 ? "" : "x"));
        }

        environment.Add(new("OTEL_RESOURCE_ATTRIBUTES", $"x={new string('x', longer)},service.name=basket,service.namespace=shop"));
        int port = FreePort.Next();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port));
        await using TestServer server = await ServerKinds.PythonAsync(port: port, environment: environment);
        await HttpRequests.SendAsync(port, 1);

        Span span = await agent.WaitForServerSpanAsync();
        Assert.Equal(("basket", "shop"), (span.ServiceName, span.ServiceNamespace));
        await agent.StopAsync();
    }

    [LiveFact("gcc")]
    public async Task What_began_before_the_agent_is_told_once_for_each_executable()
    {
        using TempDirectory files = new();
        string program = await CopyAsync(files);
        int first = FreePort.Next(), second = FreePort.Next();
        await using TestServer one = await StartAsync(first, Named, program);
        await using TestServer other = await StartAsync(second, Named, program);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(first, second));
        await HttpRequests.SendAsync(first, 1);
        await HttpRequests.SendAsync(second, 1);

        Assert.All(await agent.WaitForServerSpansAsync(2), span => Assert.Equal("titled", span.ServiceName));
        string line = Assert.Single(agent.ErrorLines, line => line.Contains(Hidden, StringComparison.Ordinal));
        Assert.Contains(program, line, StringComparison.Ordinal);
        await agent.StopAsync();
    }

    private static async Task<string> CopyAsync(TempDirectory files)
    {
        string program = Path.Combine(files.Path, "titled");
        File.Copy(await NativeProgram.BuildAsync("titled"), program);
        return program;
    }

    private static Task<TestServer> StartAsync(int port, IEnumerable<KeyValuePair<string, string>> environment, params string[] command) =>
        TestServer.StartAsync(port, [.. command, port.ToString(CultureInfo.InvariantCulture)], environment: environment);
}

using System.Net;
using System.Net.Sockets;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>The service of a flow: as spans of that process have it or would have it.</summary>
public sealed class FlowServiceTests
{
    private const int Port = 7601;

    // Answers each connection with one byte; is there until it is ended.
    private const string Server = """
        import socket
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('198.18.9.1', 7601)); s.listen(64)
        print('ready', flush=True)
        while True:
            c, a = s.accept(); c.recv(1); c.sendall(b'y'); c.recv(1); c.close()
        """;

    [LiveTheory("ip", "ethtool", "python3")]
    [InlineData("socket_filter", "OTEL_SERVICE_NAME=shop", "shop")]
    [InlineData("tcx", "OTEL_SERVICE_NAME=shop", "shop")]
    [InlineData("socket_filter", "OTEL_RESOURCE_ATTRIBUTES=service.name=cart", "cart")]
    [InlineData("socket_filter", "OTHER=1", "")]
    public async Task Without_tracing_the_process_tells_it(string source, string variable, string expected)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using ChildProcess server = await StartAsync(lab, variable);
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source));

        // The executable itself: python3 is a link to it, and the name of the process.
        string file = Path.GetFileName(File.ResolveLinkTarget($"/proc/{server.Pid}/exe", returnFinalTarget: false)!.FullName);
        await AssertServiceAsync(lab, agent, expected.Length > 0 ? expected : file);
    }

    [LiveFact("ip", "ethtool", "python3")]
    public async Task A_traced_process_has_the_name_that_its_spans_have()
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using ChildProcess server = await StartAsync(lab, "OTHER=1");
        using TempDirectory directory = new();
        string file = directory.Write("beyla.yml", $"discovery:\n  instrument:\n    - open_ports: {Port}\n      name: front\n");
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent("socket_filter") with { Arguments = ["--config", file] });

        await AssertServiceAsync(lab, agent, "front");
    }

    [LiveTheory("ip", "ethtool", "python3", "setcap", "setpriv")]
    [InlineData("cap_bpf,cap_net_raw,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep", "shop")]
    [InlineData("cap_bpf,cap_net_raw,cap_perfmon+ep", "python3")] // the first argument, which is a path
    public async Task Of_another_user_it_takes_the_two_capabilities_of_the_table(string capabilities, string expected)
    {
        await using FlowLab lab = await FlowLab.CreateAsync();
        await using ChildProcess server = await StartAsync(lab, "OTEL_SERVICE_NAME=shop");
        using CapableAgent binary = await CapableAgent.CreateAsync(capabilities);
        AgentSettings asRoot = lab.Agent("socket_filter"), settings = binary.Run(asRoot);
        await using AgentProcess agent = await AgentProcess.StartAsync(
            settings with { Prefix = [.. asRoot.Prefix, Tool.Find(settings.Prefix[0]), .. settings.Prefix.Skip(1)] });

        await AssertServiceAsync(lab, agent, expected);
    }

    private static async Task<ChildProcess> StartAsync(FlowLab lab, string variable)
    {
        ChildProcess server = ChildProcess.Start(
            Tool.Find("ip"), ["netns", "exec", lab.Host, "/usr/bin/env", variable, Tool.Find("python3"), "-c", Server]);
        Assert.True(await Wait.UntilAsync(() => server.Output.Contains("ready", StringComparison.Ordinal), TimeSpan.FromSeconds(20)),
            server.Errors);
        return server;
    }

    /// <summary>
    /// A few connections, one after the other, until a flow has the name; none may have another one but the first, whose answer may come
    /// late.
    /// </summary>
    private static async Task AssertServiceAsync(FlowLab lab, AgentProcess agent, string expected)
    {
        for (int i = 0; i < 20 && !agent.Flows.Any(flow => flow.LocalPort == Port && flow.ServiceName == expected); i++)
        {
            await FlowLab.RunInside(lab.Peer, () =>
            {
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Connect(IPAddress.Parse(FlowLab.HostAddress), Port);
                socket.Send("x"u8);
                Assert.Equal(1, socket.Receive(new byte[1]));
            });
            await Task.Delay(400);
        }

        await agent.StopAsync();
        Flow[] flows = [.. agent.Flows.Where(flow => flow.LocalPort == Port)];
        Assert.Contains(flows, flow => flow.ServiceName == expected);
        Assert.All(flows, flow => Assert.Equal("python3", flow.ProcessName));
        Assert.True(flows.Select(flow => flow.ServiceName).Distinct().All(name => name == expected || name == "python3"),
            string.Join('\n', flows.Select(flow => flow.ServiceName)));
    }
}

using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Privileges;

/// <summary>The agent as an ordinary user whose copy of the binary carries exactly some file capabilities.</summary>
public sealed class OrdinaryUserTests
{
    // What tracing needs to attach (BPF, PERFMON) and to read the descriptors and environment of other users' processes (the others).
    private const string Tracing = "cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep";

    [LiveTheory("nginx", "setcap", "setpriv"), SocketSources]
    public async Task Traces_a_server_of_root(string source)
    {
        using CapableAgent binary = await CapableAgent.CreateAsync(Tracing);
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(binary.Run(AgentSettings.ForPorts(server.Port).WithSource(source)));

        await HttpRequests.SendAsync(server.Port, 500);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(500);
        Assert.All(spans, span => Assert.Equal(("/hello", 200, "nginx"), (span.Path, span.StatusCode, span.ServiceName)));
        await agent.StopAsync();
    }

    [LiveFact("nginx", "setcap", "setpriv")]
    public async Task Holds_no_capability_while_it_only_reads()
    {
        using CapableAgent binary = await CapableAgent.CreateAsync(Tracing);
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(binary.Run(AgentSettings.ForPorts(server.Port)));
        await HttpRequests.SendAsync(server.Port, 10);
        await agent.WaitForServerSpansAsync(10);

        // Every thread has capabilities of its own.
        foreach (string task in Directory.EnumerateDirectories($"/proc/{agent.Pid}/task"))
        {
            string status = await File.ReadAllTextAsync(Path.Combine(task, "status"));
            Assert.Contains("CapEff:\t0000000000000000\n", status, StringComparison.Ordinal);
        }

        await agent.StopAsync();
    }

    [LiveTheory("python3", "setcap", "setpriv"), SocketSources]
    public async Task Traces_a_service_that_starts_later(string source)
    {
        int port = FreePort.Next();
        using CapableAgent binary = await CapableAgent.CreateAsync(Tracing);
        await using AgentProcess agent = await AgentProcess.StartAsync(binary.Run(AgentSettings.ForPorts(port).WithSource(source)));
        await using TestServer server = await ServerKinds.PythonAsync(port: port);

        await HttpRequests.SendAsync(port, 20, connections: 2);

        Assert.All(await agent.WaitForServerSpansAsync(20), span => Assert.Equal(server.Pid, span.ProcessId));
        await agent.StopAsync();
    }

    [LiveFact("setpriv")]
    public async Task Without_capabilities_enforcement_ends_it_before_anything_is_loaded()
    {
        using CapableAgent binary = await CapableAgent.CreateAsync("");
        await using AgentProcess agent = AgentProcess.Launch(
            binary.Run(AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_ENFORCE_SYS_CAPS", "1")));

        Assert.Equal(3, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("CAP_BPF", agent.Errors, StringComparison.Ordinal);
        Assert.Contains("CAP_PERFMON", agent.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(AgentLog.Ready, agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact("setpriv")]
    public async Task Without_capabilities_it_warns_and_then_says_what_failed()
    {
        using CapableAgent binary = await CapableAgent.CreateAsync("");
        await using AgentProcess agent = AgentProcess.Launch(binary.Run(AgentSettings.ForPorts(FreePort.Next())));

        Assert.Equal(1, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(
            "level=WARN msg=\"Required system capabilities not present, Beyla may malfunction\"", agent.Errors, StringComparison.Ordinal);
        Assert.Contains("the following capabilities are required: ", agent.Errors, StringComparison.Ordinal);
        Assert.Contains("level=ERROR", agent.Errors, StringComparison.Ordinal);
    }
}

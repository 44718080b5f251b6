using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>Which processes are traced: each way to choose them, with a neighbour that must not be seen.</summary>
public sealed class SelectionTests
{
    [LiveFact("python3", "node")]
    public async Task By_language()
    {
        await using TestServer python = await ServerKinds.PythonAsync();
        await using TestServer node = await ServerKinds.NodeAsync();
        await AssertOnlyAsync(AgentSettings.For("BEYLA_AUTO_TARGET_LANGUAGE", "nodejs"), node, python);
    }

    [LiveFact("python3", "node")]
    public async Task By_executable()
    {
        using OwnProgram program = new("python3");
        await using TestServer python = await ServerKinds.PythonAsync(program: program);
        await using TestServer node = await ServerKinds.NodeAsync();
        await AssertOnlyAsync(AgentSettings.For("BEYLA_AUTO_TARGET_EXE", program.Glob), python, node);
    }

    [LiveFact("python3", "node")]
    public async Task By_part_of_the_executable()
    {
        await using TestServer python = await ServerKinds.PythonAsync();
        using OwnProgram program = new("node");
        await using TestServer node = await ServerKinds.NodeAsync(program: program);
        await AssertOnlyAsync(AgentSettings.For("BEYLA_EXECUTABLE_NAME", $"/nod.{program.Name[4..]}$"), node, python);
    }

    [LiveFact("python3")]
    public async Task By_process_id()
    {
        await using TestServer one = await ServerKinds.PythonAsync();
        await using TestServer other = await ServerKinds.PythonAsync();
        await AssertOnlyAsync(AgentSettings.For("BEYLA_TARGET_PID", one.Pid.ToString(CultureInfo.InvariantCulture)), one, other);
    }

    [LiveFact("python3")]
    public async Task By_a_range_of_ports()
    {
        await using TestServer one = await ServerKinds.PythonAsync();
        await using TestServer other = await ServerKinds.PythonAsync();
        await AssertOnlyAsync(AgentSettings.For("BEYLA_OPEN_PORT", $"{one.Port - 1}-{one.Port}"), one, other);
    }

    [LiveFact("python3", "node")]
    public async Task By_port_and_executable_together()
    {
        await using TestServer python = await ServerKinds.PythonAsync();
        await using TestServer node = await ServerKinds.NodeAsync();
        await AssertOnlyAsync(AgentSettings.ForPorts(python.Port, node.Port).With("BEYLA_AUTO_TARGET_EXE", "*/node"), node, python);
    }

    [LiveFact("python3", "node")]
    public async Task By_a_file_with_an_exclusion()
    {
        using TempDirectory files = new();
        await using TestServer python = await ServerKinds.PythonAsync();
        await using TestServer node = await ServerKinds.NodeAsync();
        string file = files.Write("beyla.yml", $"""
            trace_printer: json
            discovery:
              instrument:
                - open_ports: {python.Port},{node.Port}
                  name: chosen
              exclude_instrument:
                - exe_path: "*/node"
            """);
        AgentSettings settings = new() { Arguments = ["--config", file] };
        IReadOnlyList<Span> spans = await AssertOnlyAsync(settings.With("BEYLA_TRACE_PRINTER", "json"), python, node);
        Assert.All(spans, span => Assert.Equal("chosen", span.ServiceName));
    }

    /// <summary>The name that the agent is given is for all whom nothing else names, also where only a list of the file selects.</summary>
    [LiveFact("python3")]
    public async Task The_agents_name_is_the_last_resort_of_a_list()
    {
        using TempDirectory files = new();
        await using TestServer plain = await ServerKinds.PythonAsync();
        await using TestServer ruled = await ServerKinds.PythonAsync();
        await using TestServer own = await ServerKinds.PythonAsync(environment: [new("OTEL_SERVICE_NAME", "own")]);
        string file = files.Write("beyla.yml", $"""
            trace_printer: json
            service_namespace: house
            discovery:
              instrument:
                - open_ports: {plain.Port},{own.Port}
                - open_ports: {ruled.Port}
                  name: ruled
            """);
        AgentSettings settings = new() { Arguments = ["--config", file] };
        await using AgentProcess agent = await AgentProcess.StartAsync(
            settings.With("OTEL_SERVICE_NAME", "resort").With("BEYLA_TRACE_PRINTER", "json"));
        foreach (TestServer server in new[] { plain, ruled, own })
        {
            await HttpRequests.SendAsync(server.Port, 1);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(3);
        Assert.Equal(["resort", "ruled", "own"], spans.Select(span => span.ServiceName));
        Assert.All(spans, span => Assert.Equal("house", span.ServiceNamespace));
        await agent.StopAsync();
    }

    /// <summary>Programs that live for some milliseconds: the agent has to learn of each before it is gone.</summary>
    [LiveFact("nginx", "curl")]
    public async Task Short_lived_clients_by_executable()
    {
        await using TestServer server = await Nginx.StartAsync();
        using OwnProgram curl = new("curl");
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.For("BEYLA_AUTO_TARGET_EXE", curl.Glob));
        for (int i = 0; i < 20; i++)
        {
            await Tool.RunAsync(curl.Path, "-s", $"http://127.0.0.1:{server.Port}/status/404?{i}");
        }

        IReadOnlyList<Span> spans = await agent.WaitForClientSpansAsync(20);
        Assert.Equal(20, spans.Select(span => span.ProcessId).Distinct().Count());
        Assert.All(spans, span => Assert.Equal((curl.Name, 404), (span.ServiceName, span.StatusCode)));
        await agent.StopAsync();
    }

    private static async Task<IReadOnlyList<Span>> AssertOnlyAsync(AgentSettings settings, TestServer chosen, TestServer other)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(settings);
        await HttpRequests.SendAsync(other.Port, 10, "/status/200", connections: 2);
        await HttpRequests.SendAsync(chosen.Port, 10, "/status/202", connections: 2);

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(10, span => span.ServerPort == chosen.Port);
        Assert.DoesNotContain(agent.Spans, span => span.ServerPort == other.Port);
        Assert.All(spans, span => Assert.Equal((chosen.Pid, 202), (span.ProcessId, span.StatusCode)));
        await agent.StopAsync();
        return spans;
    }
}

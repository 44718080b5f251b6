using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>Many connections at once, and connections older than the agent.</summary>
public sealed class ConcurrencyTests
{
    [LiveTheory("nginx"), SocketSources]
    public async Task Two_thousand_connections_that_stay_open(string source)
    {
        const int count = 2000;
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        List<RawConnection> connections = [];
        try
        {
            for (int i = 0; i < count; i++)
            {
                connections.Add(await RawConnection.OpenAsync(server.Port));
            }
            // Two rounds over all connections, several requests under way at a time.
            for (int round = 0; round < 2; round++)
            {
                foreach (RawConnection[] some in connections.Chunk(20))
                {
                    await Task.WhenAll(
                        some.Select(async connection => Assert.Equal(200, (await connection.GetAsync($"/hello/{round}")).Status)));
                }
            }

            IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(2 * count);
            Assert.Equal(count, spans.Count(span => span.Path == "/hello/0"));
            Assert.Equal(count, spans.Select(span => span.Connection).Distinct().Count());
            Assert.Equal(
                connections.Select(connection => connection.LocalPort).Order(), spans.Select(span => span.ClientPort).Distinct().Order());
            await agent.StopAsync();
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    [LiveTheory("python3"), SocketSources]
    public async Task Connections_older_than_the_agent(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        using RawConnection used = await RawConnection.OpenAsync(server.Port);
        using RawConnection idle = await RawConnection.OpenAsync(server.Port);
        await used.GetAsync("/before");

        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        for (int i = 0; i < 5; i++)
        {
            await used.GetAsync($"/used/{i}");
            await idle.GetAsync($"/idle/{i}");
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(10);
        Assert.Equal(
            Enumerable.Range(0, 5).SelectMany(i => new[] { (used.LocalPort, $"/used/{i}"), (idle.LocalPort, $"/idle/{i}") }),
            spans.Select(span => (span.ClientPort, span.Path)));
        await agent.StopAsync();
    }

    /// <summary>The kernel side counts what its ring has no room for, the sums agree, and what comes after it is whole.</summary>
    [LiveTheory("nginx"), SocketSources]
    public async Task A_ring_that_is_far_too_small_loses_and_counts(string source)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            AgentSettings.ForPorts(server.Port).WithSource(source).With("BEYLA_BPF_RING_SIZE", "4096"));

        // An agent that does not run empties no ring, and delays nobody.
        agent.Pause();
        await HttpRequests.SendAsync(server.Port, 1000, "/hello/lost");
        agent.Resume();
        await Task.Delay(100);
        for (int i = 0; i < 20; i++)
        {
            using RawConnection connection = await RawConnection.OpenAsync(server.Port);
            await connection.GetAsync($"/hello/{i}");
            await Task.Delay(10); // until the ring has room for the next
        }

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(20, span => span.Path != "/hello/lost");
        Assert.Equal(Enumerable.Range(0, 20).Select(i => ($"/hello/{i}", 200, SpanOutcome.Complete)),
            spans.Select(span => (span.Path, span.StatusCode, span.Outcome)));
        await agent.StopAsync(ChildProcess.SIGINT, "sockets");
        PlaceCount sockets = agent.Counters["sockets"];
        Assert.InRange(sockets.Produced, 2000, long.MaxValue);
        Assert.InRange(sockets.Lost, 1900, sockets.Produced - 40);
        Assert.InRange(agent.Spans.Count, 20, 20 + 100);
    }

    /// <summary>A reader that stands still costs the agent spans, which it counts, and never the traced process time.</summary>
    [LiveFact("nginx")]
    public async Task A_reader_that_stands_still_slows_nobody()
    {
        const int count = 30_000;
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port) with { ReadsOutput = false });

        await HttpRequests.SendAsync(server.Port, count, "/hello/a-path-that-makes-the-line-a-little-longer");
        using (RawConnection connection = await RawConnection.OpenAsync(server.Port))
        {
            // A server that waits for the agent would answer none of them.
            for (int i = 0; i < 100; i++)
            {
                Assert.Equal(200, (await connection.GetAsync("/hello")).Status);
            }
        }

        await Task.Delay(200);
        agent.ReadOutput();
        await agent.StopAsync(ChildProcess.SIGINT, "printer");
        PlaceCount printer = agent.Counters["printer"];
        Assert.Equal(count + 100, printer.Produced);
        Assert.True(printer.Lost > 0, "The reader stood still, yet nothing was lost: the test has to send more.");
        Assert.Equal(printer.Produced - printer.Lost, agent.Spans.Count);
    }
}

using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Kernel;

/// <summary>
/// The ring between the kernel and the agent when it is small: it wraps at every few records, and every record is still read, whole.
/// Requests go out in
/// rounds that fit into the ring, and the next one only when the last was read: on a busy machine too there is no reason to lose anything.
/// </summary>
public sealed class RingTests
{
    private const int RingSize = 64 * 1024;

    /// <summary>The header that the kernel puts before a record: BPF_RINGBUF_HDR_SZ in include/uapi/linux/bpf.h.</summary>
    private const int HeaderOfRecord = 8;

    /// <summary>struct socket_event in bpf/sockets.h.</summary>
    private const int HeaderOfEvent = 104;

    /// <summary>
    /// Each request has a path of its own, and the lengths differ, so that records end and wrap at any offset. A record that was read
    /// wrongly would change
    /// a path or a length, or lose the span.
    /// </summary>
    [LiveTheory("nginx"), SocketSources]
    public Task A_ring_that_wraps_a_hundred_times_loses_nothing(string source) =>
        CountAsync(source, round: 40, [.. Enumerable.Range(0, 12_000).Select(static i => Path(i, i % 701))]);

    /// <summary>A sixteenth of the ring each: most rounds hold a record that wraps.</summary>
    [LiveTheory("nginx"), SocketSources]
    public Task Large_records_are_put_together(string source) =>
        CountAsync(source, round: 10, [.. Enumerable.Range(0, 2500).Select(static i => Path(i, 3000 + (i % 997)))]);

    /// <summary>
    /// The smallest ring there can be, while its reader stands still for most of the time: what the kernel side made is what there was to
    /// tell, to the event. A request and its response are one each; at the end each side's FIN is one, and the end of the socket.
    /// </summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task A_ring_of_a_page_tells_or_counts_every_event(string source)
    {
        const int requests = 4000;
        int port = FreePort.Next();
        string program = await NativeProgram.BuildAsync("traffic"), text = port.ToString(CultureInfo.InvariantCulture);
        await using TestServer server = await TestServer.StartAsync(port, [program, "serve", text, "recv"], address: null);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port).WithSource(source)
            .With("BEYLA_BPF_RING_SIZE", Environment.SystemPageSize.ToString(CultureInfo.InvariantCulture)));

        await AskAsync("10");
        await agent.WaitForServerSpansAsync(10);
        agent.Pause();
        await AskAsync(requests.ToString(CultureInfo.InvariantCulture));
        agent.Resume();
        await Task.Delay(200);
        await AskAsync("10");

        await agent.StopAsync(ChildProcess.SIGINT, "sockets", "tracing", "exchanges", "exchanges.http");
        PlaceCount events = agent.Counters["sockets"];
        Assert.Equal((2 * (10 + requests + 10)) + (3 * 3), events.Produced);
        // No more than a page of them can have waited for the reader.
        Assert.InRange(events.Lost, 2 * (requests - (Environment.SystemPageSize / (HeaderOfRecord + HeaderOfEvent))), 2 * requests);
        Assert.Equal(events.Produced, events.Emitted + events.Lost);

        Task<string> AskAsync(string count) => Tool.RunAsync(program, "get", text, "recv", count, "/hello");
    }

    /// <summary>A path that no other request has, with so many letters at its end.</summary>
    private static string Path(int number, int letters) => $"/hello/{number}/{new string((char)('a' + (number % 26)), letters)}";

    private static async Task CountAsync(string source, int round, string[] paths)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source)
            .With("BEYLA_BPF_RING_SIZE", RingSize.ToString(CultureInfo.InvariantCulture)));

        int sent = 0;
        foreach (string[] some in paths.Chunk(round))
        {
            Exchange[] exchanges = await HttpRequests.SendAsync(server.Port, some, connections: 2);
            Assert.All(exchanges, static exchange => Assert.Equal(200, exchange.Status));
            sent += some.Length;
            bool came = await Wait.UntilAsync(() => agent.Spans.Count >= sent, Wait.Hang);
            Assert.True(came, $"{sent} requests, {agent.Spans.Count} spans.\n{agent.Errors}");
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(paths.Length);
        Assert.Equal(paths.Order(StringComparer.Ordinal), spans.Select(static span => span.Path).Order(StringComparer.Ordinal));
        Assert.All(
            spans,
            static span => Assert.Equal((200, 6L, SpanOutcome.Complete), (span.StatusCode, span.ResponseBodyLength, span.Outcome)));
        await agent.StopAsync();

        // Each request is a record, with its path in it, and each answer another.
        long least = paths.Sum(static path => (2L * (HeaderOfRecord + HeaderOfEvent)) + path.Length);
        Assert.True(least / RingSize >= 100, $"The ring surely wrapped only {least / RingSize} times.");
        Assert.InRange(agent.Counters["sockets"].Emitted, 2 * paths.Length, long.MaxValue);
        Assert.Equal(0, agent.Counters["sockets"].Lost);
    }
}

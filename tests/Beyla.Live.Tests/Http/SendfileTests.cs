using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>
/// What sendfile(2) sends has nothing to show, and no event of its own: the spans are the same, at the same time, as if it had.
/// </summary>
public sealed class SendfileTests
{
    /// <summary>A request is read in one operation, its head is sent in another; the rest has no event.</summary>
    [LiveTheory("nginx"), SocketSources]
    public async Task A_file_costs_two_events(string source)
    {
        const int Requests = 300;
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using (RawConnection connection = await RawConnection.OpenAsync(server.Port))
        {
            // The first one comes while the agent sleeps, which an event has to end.
            _ = await connection.GetAsync("/small.txt");
            _ = await agent.WaitForServerSpansAsync(1);
            for (int i = 1; i < Requests; i++)
            {
                Assert.Equal(200, (await connection.GetAsync("/small.txt")).Status);
            }

            IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(Requests);
            Assert.All(spans, span => Assert.Equal((800L, SpanOutcome.Complete), (span.ResponseBodyLength, span.Outcome)));
        }

        await agent.StopAsync();
        // The end of a connection has up to three; on a busy machine the agent may fall asleep now and then. Else there would be 900.
        Assert.InRange(agent.Counters["sockets"].Produced, 2 * Requests, (2 * Requests) + 100);
    }

    /// <summary>The connection stays open and silent: the response is over all the same.</summary>
    [LiveTheory("nginx"), SocketSources]
    public async Task The_last_response_of_an_open_connection_is_told_at_once(string source)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);
        for (int i = 1; i <= 5; i++)
        {
            foreach (string path in (string[])["/small.txt", "/large.bin"])
            {
                Assert.Equal(200, (await connection.GetAsync(path)).Status);
            }

            IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(2 * i);
            Assert.Equal(1_000_000, spans.Max(span => span.ResponseBodyLength));
            // Once while the agent looks every few milliseconds, once when it sleeps.
            await Task.Delay(i % 2 == 0 ? TimeSpan.FromSeconds(1) : TimeSpan.Zero);
        }

        await agent.StopAsync();
    }

    /// <summary>A slow reader lets the server wait in the middle of a file: the response lasts until its last byte is sent.</summary>
    [LiveTheory("nginx"), SocketSources]
    public async Task A_reader_that_pauses_is_in_the_duration(string source)
    {
        const int Size = 8_000_000;
        TimeSpan pause = TimeSpan.FromMilliseconds(700);
        await using TestServer server = await Nginx.StartAsync(large: Size);
        await using AgentProcess agent = await StartAsync(server, source);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);
        await connection.SendAsync("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        await Task.Delay(pause);
        string begin = await connection.TakeAsync(1000);
        for (int left = begin.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4 + Size - begin.Length; left > 0; left -= 100_000)
        {
            _ = await connection.TakeAsync(Math.Min(left, 100_000));
        }

        Span span = await agent.WaitForServerSpanAsync();
        Assert.Equal(((long?)Size, SpanOutcome.Complete), (span.ResponseBodyLength, span.Outcome));
        Assert.InRange(span.Duration, pause, Wait.Hang);
        await agent.StopAsync();
    }

    private static Task<AgentProcess> StartAsync(TestServer server, string source) =>
        AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
}

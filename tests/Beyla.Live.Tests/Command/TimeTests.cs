using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Command;

/// <summary>
/// An agent in a time namespace (time_namespaces(7)), as a container may have one that was moved here from another host: its clock since
/// boot is not that of the kernel's events. CLOCK_BOOTTIME alone is ahead after a suspension as well.
/// </summary>
public sealed class TimeTests
{
    [LiveTheory("python3", "unshare"), InlineData(0, 0), InlineData(100_000, 100_000), InlineData(-1000, -1000), InlineData(0, 500_000)]
    public async Task Times_are_right_whatever_the_clocks_since_boot_say(int monotonic, int boottime)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port) with
        {
            Prefix = [Tool.Find("unshare"), "--time", string.Create(CultureInfo.InvariantCulture, $"--monotonic={monotonic}"),
                string.Create(CultureInfo.InvariantCulture, $"--boottime={boottime}"), "--"],
        });
        DateTimeOffset before = DateTimeOffset.UtcNow;
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);
        // Longer than the agent needs to look at what is overdue, and twice what is asked for below: on a busy machine the server reads
        // the first part late.
        await connection.SendAsync("GET /hello HTTP/1.1\r\n");
        await Task.Delay(2000);
        await connection.SendAsync("Host: a\r\n\r\n");
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        await HttpRequests.SendAsync(server.Port, 20);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(21);
        DateTimeOffset after = DateTimeOffset.UtcNow;
        Assert.All(spans, span => Assert.Equal((200, SpanOutcome.Complete), (span.StatusCode, span.Outcome)));
        Assert.All(spans, span => Assert.InRange(span.Start, before, after));
        Assert.All(spans, span => Assert.InRange(span.End, span.Start, after));
        Assert.InRange(spans.Max(static span => span.Duration), TimeSpan.FromMilliseconds(990), after - before);
        await agent.StopAsync();
    }
}

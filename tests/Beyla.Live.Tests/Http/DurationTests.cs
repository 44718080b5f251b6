using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>
/// How long a request took. A span lies within what its client saw and is as long as its handler slept, always; that the two differ by less
/// than 5 ms is asked of the best of several requests, because between the bytes and the client lies a scheduler that may be busy.
/// </summary>
public sealed class DurationTests
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(5);

    [LiveTheory("python3"), SocketSources]
    public async Task Python(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await MeasureAsync(server, source);
    }

    [LiveTheory("node"), SocketSources]
    public async Task Node(string source)
    {
        await using TestServer server = await ServerKinds.NodeAsync();
        await MeasureAsync(server, source);
    }

    [LiveTheory, SocketSources]
    public async Task Kestrel(string source)
    {
        await using TestServer server = await ServerKinds.KestrelAsync();
        await MeasureAsync(server, source);
    }

    private static async Task MeasureAsync(TestServer server, string source)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);
        await connection.GetAsync("/warm");

        List<(int Sleep, TimeSpan Took, DateTimeOffset From, DateTimeOffset To)> seen = [];
        foreach (int sleep in new[] { 20, 50, 80, 20, 50, 80, 20, 50, 80 })
        {
            DateTimeOffset from = DateTimeOffset.UtcNow;
            (int status, TimeSpan took) = await connection.GetAsync($"/sleep/{sleep}");
            Assert.Equal(200, status);
            seen.Add((sleep, took, from, DateTimeOffset.UtcNow));
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(1 + seen.Count);
        List<TimeSpan> differences = [];
        foreach (((int sleep, TimeSpan took, DateTimeOffset from, DateTimeOffset to), Span span) in seen.Zip(spans.Skip(1)))
        {
            Assert.Equal($"/sleep/{sleep}", span.Path);
            Assert.True(span.Duration <= took + TimeSpan.FromMicroseconds(1),
                $"{span} is longer than the {took.TotalMilliseconds} ms of its client.");
            Assert.True(span.Duration.TotalMilliseconds >= sleep, $"{span} is shorter than its handler.");
            Assert.InRange(span.HandlerDuration, TimeSpan.FromMilliseconds(sleep), span.Duration);
            Assert.InRange(span.Start, from - Tolerance, to + Tolerance);
            Assert.InRange(span.End, from - Tolerance, to + Tolerance);
            differences.Add(took - span.Duration);
        }

        // A client that waits for a processor sees more than its server did, so not each of them, but most.
        TimeSpan usual = differences.Order().ElementAt(differences.Count / 2);
        Assert.True(usual <= Tolerance, $"Half of the spans differ by {usual.TotalMilliseconds} ms and more from what their clients saw.");
        await agent.StopAsync();
    }
}

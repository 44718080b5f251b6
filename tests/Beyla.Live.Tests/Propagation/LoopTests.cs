using System.Net.Sockets;
using System.Text;
using Beyla.Live.Tests.Context;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;
using Xunit.Abstractions;

namespace Beyla.Live.Tests.Propagation;

/// <summary>
/// What is put on the wire for the calls of loops, and of goroutines that a handler starts: below the only request of the process, or a
/// trace of its own. The truth is an id in the paths, which the agent does not look at; and the next service is told what the span of the
/// call has.
/// </summary>
public sealed class LoopTests(ITestOutputHelper output)
{
    // At first so many at a time that each process shows what it is.
    private static readonly LoadCase[] Loads =
    [
        new(Nesting.Plain, 16, Requests: 600), new(Nesting.Plain, 1, Requests: 200),
        new(Nesting.Plain, 16, KeepAlive: false, Requests: 300), new(Nesting.Before, 16, Requests: 300),
    ];

    [LiveTheory("python3", "node", "nginx")]
    [InlineData("tcp")]
    [InlineData("headers")]
    [InlineData("all")]
    public async Task The_next_service_is_told_the_only_request_of_a_loop(string way)
    {
        foreach (LoadCase load in Loads)
        {
            await using TestCgroup group = TestCgroup.Create();
            await using TestServer backend = await Hops.StartBackendAsync(group);
            await using TestServer node = await Hops.StartScriptAsync(group, "node", "nested.js", backend.Port);
            await using TestServer asyncio = await Hops.StartScriptAsync(group, "python3", "nested_asyncio.py", backend.Port);
            await using TestServer nginx = await NestingProxies.StartNginxAsync(backend.Port, [.. group.Prefix]);
            await CheckAsync(way, load, backend, [("node", node), ("asyncio", asyncio), ("nginx", nginx)]);
        }
    }

    /// <summary>Go before 1.21, as Debian has it, does not keep which goroutine started another one.</summary>
    [LiveTheory("python3", "go", "gcc")]
    [InlineData("tcp")]
    [InlineData("headers")]
    [InlineData("all")]
    public async Task The_next_service_is_told_the_request_of_a_goroutine(string way)
    {
        string binary = await GoProgram.BuildAsync("nested");
        foreach (LoadCase load in Loads)
        {
            await using TestCgroup group = TestCgroup.Create();
            await using TestServer backend = await Hops.StartBackendAsync(group);
            await using TestServer direct = await Hops.StartAsync(group, port => [binary, port, Hops.Text(backend.Port), "direct"]);
            await using TestServer child = await Hops.StartAsync(group, port => [binary, port, Hops.Text(backend.Port), "child"]);
            IReadOnlyList<Hops> measured = await CheckAsync(way, load, backend, [("Go", direct), ("Go, started", child)]);
            Assert.True(measured[0].Score.ExactRight == load.Calls, measured[0].ToString());
        }
    }

    /// <summary>The kernel side counts open requests: those that end without a response do not stay in the count.</summary>
    [LiveFact("python3", "node")]
    public async Task Requests_that_are_given_up_do_not_count_for_ever()
    {
        await using TestCgroup group = TestCgroup.Create();
        await using TestServer backend = await Hops.StartBackendAsync(group);
        await using TestServer node = await Hops.StartScriptAsync(group, "node", "nested.js", backend.Port);
        await using AgentProcess agent = await PassingAgent.StartAsync(
            (AgentSettings.ForPorts(backend.Port, node.Port) with { ReadsRecords = true }), "tcp");
        const string request = "GET /in/1?before HTTP/1.1\r\nHost: x\r\n\r\n";
        string[] texts = [request, request[..12], request[..1], request + request];
        for (int i = 0; i < 200; i++)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", node.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes(texts[i % 4]));
            await Task.Delay(i % 5);
            // Every other one by a reset.
            socket.LingerState = new LingerOption(i / 4 % 2 == 0, 0);
        }

        await Task.Delay(500);
        LoadCase load = new(Nesting.Plain, 1, Requests: 100);
        int first = Requests.NextIds(load.Requests);
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(50));
        await Requests.SendAsync(node.Port, load, first, expired.Token);
        ILookup<int, SpanRecord> Own() => agent.Records.Where(span => span.Kind == "client" || span.ServerPort == node.Port)
            .ToLookup(span => Requests.IdOf(span["url.path"]));
        Assert.True(await Wait.UntilAsync(() => Score.Of(Own(), first, load).Calls == load.Calls, Wait.Hang));
        Score score = Score.Of(Own(), first, load);
        Assert.True(score.ProbableRight == load.Calls, score.ToString());
        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
    }

    private async Task<IReadOnlyList<Hops>> CheckAsync(
        string way, LoadCase load, TestServer backend, params (string Name, TestServer Server)[] services)
    {
        IReadOnlyList<Hops> measured = await Hops.MeasureAsync(way, load, backend, services);
        List<string> faults = [];
        foreach (Hops hops in measured)
        {
            string line = $"{way}, {load.Describe()}, {load.Concurrency} at a time: {hops}";
            output.WriteLine(line);
            Score score = hops.Score;
            if (score.Missing > 0 || score.Broken > 0 || score.ExactWrong > 0 || score.ProbableWrong * 100 > score.Probable
                || (load.Concurrency == 1 && score.None + score.ProbableWrong > 0) || hops.Wrong > 0 || hops.Told == 0
                // With headers alone the later requests of a connection are not told.
                || (hops.None > 0 && way != "headers"))
            {
                faults.Add($"{line}\n{score.Examples}");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        return measured;
    }
}

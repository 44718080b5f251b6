using System.Globalization;
using Beyla.Live.Tests.Context;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Xunit.Abstractions;

namespace Beyla.Live.Tests.Propagation;

/// <summary>
/// What is put on the wire for the calls of loops: below the only request of the process, or a trace of its own. The truth is an id in the
/// paths, which the agent does not look at; and the next service is told what the span of the call has.
/// </summary>
public sealed class LoopTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(8);

    [LiveTheory("python3", "node", "nginx")]
    [InlineData("tcp")]
    [InlineData("headers")]
    [InlineData("all")]
    public async Task The_next_service_is_told_the_only_request_of_a_loop(string way)
    {
        // At first so many at a time that each process shows what it is.
        LoadCase[] loads =
        [
            new(Nesting.Plain, 16, Requests: 600), new(Nesting.Plain, 1, Requests: 200),
            new(Nesting.Plain, 16, KeepAlive: false, Requests: 300),
        ];
        foreach (LoadCase load in loads)
        {
            await using TestCgroup group = TestCgroup.Create();
            await using TestServer backend = await StartAsync(group, "python3", "relay.py", 0);
            await using TestServer node = await StartAsync(group, "node", "nested.js", backend.Port);
            await using TestServer asyncio = await StartAsync(group, "python3", "nested_asyncio.py", backend.Port);
            await using TestServer nginx = await NestingProxies.StartNginxAsync(backend.Port, [.. group.Prefix]);
            await CheckAsync(way, load, backend, [("node", node), ("asyncio", asyncio), ("nginx", nginx)]);
        }
    }

    private async Task CheckAsync(string way, LoadCase load, TestServer backend, (string Name, TestServer Server)[] services)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(
            (AgentSettings.ForPorts([backend.Port, .. services.Select(service => service.Server.Port)]) with { ReadsRecords = true })
                .With("BEYLA_BPF_CONTEXT_PROPAGATION", way));
        Assert.True(await Wait.UntilAsync(() => agent.Errors.Contains("Passing trace context on", StringComparison.Ordinal), Wait.Hang));
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(60));
        int[] first = [.. services.Select(_ => Requests.NextIds(load.Requests))];
        // One service after the other: what is measured is one process with requests side by side.
        for (int i = 0; i < services.Length; i++)
        {
            await Requests.SendAsync(services[i].Server.Port, load, first[i], expired.Token);
        }

        await Wait.UntilAsync(() => agent.Records.Count >= services.Length * load.Requests * 3, Settling);
        await agent.StopAsync(ChildProcess.SIGINT, "watcher");
        ILookup<int, SpanRecord> spans = agent.Records.ToLookup(span => Requests.IdOf(span["url.path"]));
        List<string> faults = [];
        for (int i = 0; i < services.Length; i++)
        {
            (string name, TestServer server) = services[i];
            ILookup<int, SpanRecord> own = agent.Records.Where(span => span.Kind == "client" || span.ServerPort == server.Port)
                .ToLookup(span => Requests.IdOf(span["url.path"]));
            Score score = Score.Of(own, first[i], load);
            (int told, int none, int wrong) = Hops(spans, first[i], load, backend.Port);
            string line = $"{way}, {load.Describe()}, {load.Concurrency} at a time: {name}: {score}; "
                + $"the next one: {told} told, {none} not, {wrong} wrong";
            output.WriteLine(line);
            bool one = load.Concurrency == 1;
            if (score.Missing > 0 || score.Broken > 0 || score.ExactWrong > 0 || score.ProbableWrong * 100 > score.Probable
                || (one && score.None + score.ProbableWrong > 0) || wrong > 0 || told == 0
                // With headers alone the later requests of a connection are not told.
                || (none > 0 && way != "headers"))
            {
                faults.Add(line + "\n" + score.Examples);
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>How many requests of the backend are below the call that they are, below none, and below something else.</summary>
    private static (int Told, int None, int Wrong) Hops(ILookup<int, SpanRecord> spans, int first, LoadCase load, int port)
    {
        int told = 0, none = 0, wrong = 0;
        for (int id = first; id < first + load.Requests; id++)
        {
            SpanRecord? call = spans[id].FirstOrDefault(span => span.Kind == "client");
            SpanRecord? next = spans[id].FirstOrDefault(span => span.Kind == "server" && span.ServerPort == port);
            bool right = call is not null && next is not null && (next.TraceId, next.ParentId) == (call.TraceId, call.SpanId);
            told += right && next!.ParentSource is ("header" or "option") ? 1 : 0;
            none += next is null || next.ParentSource.Length == 0 ? 1 : 0;
            wrong += !right && next is { ParentSource.Length: > 0 } ? 1 : 0;
        }

        return (told, none, wrong);
    }

    private static Task<TestServer> StartAsync(TestCgroup group, string program, string script, int next)
    {
        int port = FreePort.Next();
        string path = Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", script);
        string[] isolated = program == "python3" ? ["-I"] : [];
        return TestServer.StartAsync(
            port, [.. group.Prefix, Tool.Find(program), .. isolated, path, Text(port), Text(next)]);

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}

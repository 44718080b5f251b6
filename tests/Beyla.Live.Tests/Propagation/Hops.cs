using System.Globalization;
using Beyla.Live.Tests.Context;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>What became of the requests of a service in front of a backend, both traced, where contexts are passed on.</summary>
/// <param name="Name">The service.</param>
/// <param name="Score">Of its calls: their parents.</param>
/// <param name="Told">Requests of the backend that are below the call that they are, as the wire said.</param>
/// <param name="None">Those that are below nothing.</param>
/// <param name="Wrong">Those that are below something else.</param>
internal sealed record Hops(string Name, Score Score, int Told, int None, int Wrong)
{
    // Spans that have not come by then do not come.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(8);

    public override string ToString() => $"{Name}: {Score}; the next one: {Told} told, {None} not, {Wrong} wrong";

    /// <summary>An exclusive service that makes no calls.</summary>
    public static Task<TestServer> StartBackendAsync(TestCgroup group) => StartScriptAsync(group, "python3", "relay.py", 0);

    /// <summary>Starts a script of the tests, with its port and that of the next service.</summary>
    public static Task<TestServer> StartScriptAsync(TestCgroup group, string program, string script, int next)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", script);
        string[] isolated = program == "python3" ? ["-I"] : [];
        return StartAsync(group, port => [Tool.Find(program), .. isolated, path, port, Text(next)]);
    }

    /// <summary>Starts a server in a control group, with a command that is given its port.</summary>
    public static Task<TestServer> StartAsync(TestCgroup group, Func<string, IEnumerable<string>> command)
    {
        int port = FreePort.Next();
        return TestServer.StartAsync(port, [.. group.Prefix, .. command(Text(port))]);
    }

    /// <summary>As an argument.</summary>
    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Measures services one after the other, with an agent that knows nothing of them before: what is looked at is one process with
    /// requests side by side.
    /// </summary>
    public static async Task<IReadOnlyList<Hops>> MeasureAsync(
        string way, LoadCase load, TestServer backend, IReadOnlyList<(string Name, TestServer Server)> services)
    {
        AgentSettings settings = AgentSettings.ForPorts([backend.Port, .. services.Select(service => service.Server.Port)]);
        await using AgentProcess agent = await PassingAgent.StartAsync((settings with { ReadsRecords = true }), way);
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(60));
        List<int> first = [];
        foreach ((_, TestServer server) in services)
        {
            first.Add(Requests.NextIds(load.Requests));
            await Requests.SendAsync(server.Port, load, first[^1], expired.Token);
        }

        await Wait.UntilAsync(() => agent.Records.Count >= services.Count * load.Requests * 3, Settling);
        await agent.StopAsync();
        return [.. services.Select((service, i) => Of(agent.Records, service.Name, service.Server.Port, first[i], load, backend.Port))];
    }

    private static Hops Of(IReadOnlyCollection<SpanRecord> records, string name, int port, int first, LoadCase load, int next)
    {
        ILookup<int, SpanRecord> spans = records.ToLookup(span => Requests.IdOf(span["url.path"]));
        ILookup<int, SpanRecord> own = records.Where(span => span.Kind == "client" || span.ServerPort == port)
            .ToLookup(span => Requests.IdOf(span["url.path"]));
        int told = 0, none = 0, wrong = 0;
        for (int id = first; id < first + load.Requests; id++)
        {
            SpanRecord? call = spans[id].FirstOrDefault(span => span.Kind == "client");
            SpanRecord? request = spans[id].FirstOrDefault(span => span.Kind == "server" && span.ServerPort == next);
            bool right = call is not null && request is not null && (request.TraceId, request.ParentId) == (call.TraceId, call.SpanId);
            told += right && request!.ParentSource is ("header" or "option") ? 1 : 0;
            none += request is null || request.ParentSource.Length == 0 ? 1 : 0;
            wrong += !right && request is { ParentSource.Length: > 0 } ? 1 : 0;
        }

        return new Hops(name, Score.Of(own, first, load), told, none, wrong);
    }
}

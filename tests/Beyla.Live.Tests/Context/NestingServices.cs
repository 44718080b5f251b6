using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Context;

/// <summary>All services (<see cref="NestingService.All"/>) in front of one backend, once for the tests of a class.</summary>
public sealed class NestingServices : IAsyncLifetime
{
    private readonly Backend backend = Backend.Start();
    // Spans that have not come by then do not come; how many are missing is said with what was seen.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(8);

    private readonly List<(NestingService Service, TestServer Server)> running = [];

    /// <summary>Starts them side by side. Does nothing where the tests are skipped.</summary>
    public async Task InitializeAsync()
    {
        if (LiveConditions.ReasonToSkip(NestingService.Needs) is not null)
        {
            return;
        }

        List<(NestingService Service, Task<TestServer> Server)> starting =
            [.. NestingService.All.Select(service => (service, service.StartAsync(this.backend.Port)))];
        foreach ((NestingService service, Task<TestServer> server) in starting)
        {
            this.running.Add((service, await server));
        }

        // So that the first requests of a measurement find code that has run and connections that are open, as in a service that runs.
        LoadCase load = new(Nesting.Plain, 8, Requests: 100);
        await Task.WhenAll(this.running.Select(one =>
            Requests.SendAsync(one.Server.Port, load, Requests.NextIds(load.Requests), CancellationToken.None)));
    }

    /// <summary>Measures services side by side, with an agent that knows nothing of them before.</summary>
    /// <returns>What became of the calls of each, in the order of the services.</returns>
    internal async Task<IReadOnlyList<(NestingService Service, Score Score)>> MeasureAsync(
        LoadCase load, Func<NestingService, bool> which, params string[] mayLose)
    {
        (NestingService Service, TestServer Server, int First)[] loads =
            [.. this.running.Where(one => which(one.Service)).Select(one => (one.Service, one.Server, Requests.NextIds(load.Requests)))];
        string ports = string.Join(',', loads.Select(one => one.Server.Port.ToString(CultureInfo.InvariantCulture)));
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForRules($"open_ports: \"{ports}\""));
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(50));
        await Task.WhenAll(loads.Select(one => Requests.SendAsync(one.Server.Port, load, one.First, expired.Token)));

        int expected = loads.Length * (load.Requests + load.Calls);
        await Wait.UntilAsync(() => agent.Records.Count >= expected, Settling);
        await agent.StopAsync(ChildProcess.SIGINT, mayLose);
        ILookup<int, SpanRecord> spans = agent.Records.ToLookup(span => Requests.IdOf(span["url.path"]));
        return [.. loads.Select(one => (one.Service, Score.Of(spans, one.First, load)))];
    }

    /// <summary>Ends them.</summary>
    public async Task DisposeAsync()
    {
        foreach ((_, TestServer server) in this.running)
        {
            await server.DisposeAsync();
        }

        await this.backend.DisposeAsync();
    }
}

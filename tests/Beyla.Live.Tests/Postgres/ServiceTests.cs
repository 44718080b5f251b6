using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Postgres;

/// <summary>A service that answers HTTP requests with the help of both databases.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ServiceTests(PostgresServer postgres)
{
    [LiveTheory("postgres", "redis-server", "python3 psycopg2", "python3 redis"), SocketSources]
    public async Task Each_request_and_what_it_asks_of_the_databases(string source)
    {
        const int count = 200;
        await using RedisServer redis = await RedisServer.StartAsync();
        await using TestServer shop = await ServerKinds.ShopAsync(postgres.Port, redis.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, shop.Port);

        await HttpRequests.SendAsync(shop.Port, [.. Enumerable.Range(0, count).Select(i => $"/item/{i % 100 + 1}")], connections: 4);

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(4 * count, _ => true);
        SpanRecord[] requests = [.. spans.Where(span => (span.Kind, span.Protocol) == ("server", "http"))];
        SpanRecord[] queries = [.. spans.Where(span => (span.Kind, span.Protocol) == ("client", "postgresql"))];
        SpanRecord[] commands = [.. spans.Where(span => (span.Kind, span.Protocol) == ("client", "redis"))];
        Assert.Equal((count, count, 2 * count), (requests.Length, queries.Length, commands.Length));
        Assert.All(queries, span => Assert.Equal(("SELECT name FROM item WHERE id = ?", postgres.Port), (span.Query, span.ServerPort)));
        Assert.Equal((count, count), (commands.Count(span => span.Operation == "INCR"), commands.Count(span => span.Operation == "SET")));
        Assert.All(spans, span => Assert.Equal((shop.Pid, "complete"), (span.Pid, span.Outcome)));
        // Thread by thread, what a handler asks lies within the request that it handles.
        Assert.All(queries.Concat(commands), asked => Assert.Single(
            requests, span => span.Tid == asked.Tid && span.Start <= asked.Start && asked.End <= span.End));
        await agent.StopAsync();
    }
}

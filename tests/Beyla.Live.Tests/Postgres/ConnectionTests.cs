using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Postgres;

/// <summary>Connections older than the agent, many at once, pipelines, and how long statements take.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ConnectionTests(PostgresServer server)
{
    /// <summary>A statement prepared before the agent came has no text, and not that of another one.</summary>
    [LiveTheory("postgres"), SocketSources]
    public async Task A_statement_prepared_before_the_agent_came(string source)
    {
        await using StepClient client = await StepClient.DotnetAsync("npgsql", server.Port);
        await client.RunAsync("connect");
        await client.RunAsync("extended 1");
        await client.RunAsync("prepare");
        await client.RunAsync("prepared 3");

        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("prepared 50");
        await client.RunAsync("extended 20");
        await client.RunAsync("prepared 10");

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("", 60), new("SELECT price FROM item WHERE id = $1", 20));
        Assert.All(spans.Where(span => span.Query.Length == 0), span => Assert.Equal(
            ("postgresql", "", "", ""), (span.Name, span["db.query.summary"], span["db.collection.name"], span["db.namespace"])));
        await agent.StopAsync();
    }

    /// <summary>On an old connection the database is not known; a new one of the same client says it.</summary>
    [LiveTheory("postgres", "python3 psycopg2", "node pg"), SocketSources]
    public async Task Connections_older_than_the_agent(string source)
    {
        await using StepClient python = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using StepClient node = await StepClient.NodeAsync("postgres_pg.js", server.Port);
        await python.RunAsync("connect");
        await python.RunAsync("select 1");
        await node.RunAsync("connect");

        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, python.Rule, node.Rule);
        await python.RunAsync("select 50");
        await node.RunAsync("extended 50");
        await python.RunAsync("large 3000");
        await python.RunAsync("select 50");

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("SELECT name FROM item WHERE id = ?", 100),
            new("SELECT price FROM item WHERE id = $1", 50), new("SELECT repeat(?, ?) FROM generate_series(?, ?)"));
        Assert.All(spans, span => Assert.Equal("", span["db.namespace"]));
        await agent.StopAsync();
    }

    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task Two_hundred_connections_at_once(string source)
    {
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        int mark = server.Log.Mark;

        await client.RunAsync("many 200");

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new Expected("SELECT ?", 1000));
        Assert.Equal(200, server.Log.Backends(mark).Length);
        Assert.Equal(
            server.Log.Backends(mark).Order(), spans.Where(span => span.Kind == "server").Select(span => span.Pid).Distinct().Order());
        await agent.StopAsync();
    }

    /// <summary>Statements sent ahead of their results, several Sync under way.</summary>
    [LiveTheory("postgres", "pgbench"), SocketSources]
    public async Task Pipelines(string source)
    {
        using TempDirectory files = new();
        string script = files.Write("pipeline.sql", """
            \startpipeline
            SELECT name FROM item WHERE id = 1;
            UPDATE item SET price = price WHERE id = 2;
            SELECT count(*) FROM item;
            \endpipeline
            """);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        int mark = server.Log.Mark;

        await Tool.RunAsync("pgbench", "-n", "-M", "extended", "-f", script, "-c", "4", "-t", "50", "-h", "127.0.0.1", "-p",
            $"{server.Port}", "-U", "postgres", PostgresServer.Database);

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(600, span => span.Protocol == "postgresql");
        DatabaseTrace.AssertSame(
            [
                new("SELECT name FROM item WHERE id = ?;", 200), new("UPDATE item SET price = price WHERE id = ?;", 200),
                new("SELECT count(*) FROM item;", 200),
            ],
            spans);
        Assert.Equal(600, server.Log.Statements(mark).Length);
        await agent.StopAsync();
    }

    [LiveTheory("postgres", "python3 psycopg2", "node pg"), SocketSources]
    public async Task A_statement_that_takes_its_time(string source)
    {
        await using StepClient python = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using StepClient node = await StepClient.NodeAsync("postgres_pg.js", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, python.Rule, node.Rule);
        await python.RunAsync("connect");
        await node.RunAsync("connect");

        DateTimeOffset from = DateTimeOffset.UtcNow;
        await python.RunAsync("sleep 0.2");
        await node.RunAsync("sleep 0.2");
        TimeSpan took = DateTimeOffset.UtcNow - from;

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("SELECT pg_sleep(?)"), new("SELECT pg_sleep($1)"));
        Assert.All(spans, span => Assert.InRange(span.Duration, TimeSpan.FromMilliseconds(200), took));
        Assert.All(spans, span => Assert.InRange(span.Start, from.AddMilliseconds(-5), span.End));
        await agent.StopAsync();
    }
}

using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Postgres;

/// <summary>
/// Each client of PostgreSQL as it is: a span of the server and one of the client for every statement, with its text, and as many as the
/// server's log has.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class ClientTests(PostgresServer server)
{
    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task Psycopg2(string source)
    {
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        int mark = server.Log.Mark;
        foreach (string step in new[] { "connect", "select 200", "prepared 20", "transaction", "several", "notify" })
        {
            await client.RunAsync(step);
        }

        await client.EndAsync();

        Expected[] expected =
        [
            new("SELECT name FROM item WHERE id = ?", 200), new("PREPARE by_id(int) AS SELECT name FROM item WHERE id = $1"),
            new("EXECUTE by_id(?)", 20), new("BEGIN", 3), new("INSERT INTO item VALUES (?, ?, ?)"),
            new("UPDATE item SET price = price + ? WHERE id = ?"), new("COMMIT", 2), new("DELETE FROM item WHERE id = ?", 2),
            new("ROLLBACK"), new("SELECT ?; SELECT name FROM item; SELECT ?"), new("LISTEN news"), new("NOTIFY news, ?"), new("DO ?"),
            new("SET application_name = ?"), new("SELECT ?"),
        ];
        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(agent, "postgresql", server.Port, expected);
        Assert.Equal(expected.Sum(sort => sort.Count), server.Log.Statements(mark).Length);
        AssertEnvelope(spans, client.Pid, server.Log.Backends(mark));
        Assert.All(spans.Where(span => span.Query.StartsWith("SELECT name", StringComparison.Ordinal)), span => Assert.Equal(
            ("SELECT item", "SELECT item", (long?)1), (span.Name, span["db.query.summary"], span.Rows)));
        await agent.StopAsync();
    }

    [LiveTheory("postgres", "node pg"), SocketSources]
    public async Task Node_pg(string source)
    {
        await using StepClient client = await StepClient.NodeAsync("postgres_pg.js", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        int mark = server.Log.Mark;
        foreach (string step in new[] { "connect", "select 100", "extended 100", "prepared 100", "queued 50", "errors" })
        {
            await client.RunAsync(step);
        }

        await client.EndAsync();

        Expected[] expected =
        [
            new("SELECT name FROM item WHERE id = ?", 100), new("SELECT price FROM item WHERE id = $1", 100),
            new("SELECT name FROM item WHERE id = $1", 100), new("SELECT $1::int", 50),
            new("INSERT INTO item VALUES ($1, $2, $3)", 1, "23505"), new("SELECT * FROM missing WHERE id = $1", 1, "42P01"),
            new("SELECT ? / $1::int", 1, "22012"),
        ];
        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(agent, "postgresql", server.Port, expected);
        // The second error came of Parse, the third of Bind: both texts failed before they were executed.
        Assert.Equal(351, server.Log.Statements(mark).Length);
        Assert.Equal(["23505", "42P01", "22012"], server.Log.Errors(mark));
        AssertEnvelope(spans, client.Pid, server.Log.Backends(mark));
        await agent.StopAsync();
    }

    [LiveTheory("postgres"), SocketSources]
    public async Task Npgsql(string source)
    {
        await using StepClient client = await StepClient.DotnetAsync("npgsql", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        int mark = server.Log.Mark;
        foreach (string step in new[] { "connect", "extended 100", "prepare", "prepared 100", "batch 50" })
        {
            await client.RunAsync(step);
        }

        await client.EndAsync();

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port,
            new("SELECT price FROM item WHERE id = $1", 100), new("SELECT name FROM item WHERE id = $1", 100),
            new("UPDATE item SET price = price WHERE id = $1", 50));
        Assert.Equal(250, server.Log.Statements(mark).Length);
        AssertEnvelope(spans, client.Pid, server.Log.Backends(mark));
        await agent.StopAsync();
    }

    /// <summary>psql lives for a moment: it is selected by its executable, and traced from its first message on.</summary>
    [LiveTheory("postgres", "psql"), SocketSources]
    public async Task Psql(string source)
    {
        using OwnProgram psql = new("psql");
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, $"exe_path: \"{psql.Glob}\"");
        int mark = server.Log.Mark;
        for (int i = 0; i < 10; i++)
        {
            await Tool.RunAsync(psql.Path, "-X", "-q", "-h", "127.0.0.1", "-p", $"{server.Port}", "-U", "postgres", "-d", "shop",
                "-c", "SELECT count(*) FROM item WHERE price > 500", "-c", "VALUES (1), (2)");
        }

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("SELECT count(*) FROM item WHERE price > ?", 10), new("VALUES (?), (?)", 10));
        Assert.Equal(20, server.Log.Statements(mark).Length);
        Assert.Equal(10, spans.Select(span => span.ClientPort).Distinct().Count());
        Assert.All(spans, span => Assert.Equal(span.Query[0] == 'S' ? 1 : 2, span.Rows));
        await agent.StopAsync();
    }

    private static void AssertEnvelope(IReadOnlyList<SpanRecord> spans, int client, int[] backends)
    {
        Assert.All(spans, span => Assert.Equal(("postgresql", PostgresServer.Database), (span["db.system.name"], span["db.namespace"])));
        Assert.All(spans.Where(span => span.Kind == "client"), span => Assert.Equal(client, span.Pid));
        Assert.All(spans.Where(span => span.Kind == "server"), span => Assert.Contains(span.Pid, backends));
    }
}

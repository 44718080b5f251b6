using System.Diagnostics;
using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Sql;

/// <summary>Statements for a database whose protocol the agent does not know (ebpf.heuristic_sql_detect): MariaDB.</summary>
[Collection(MariaDbCollection.Name)]
public sealed class DetectionTests(MariaDbServer server)
{
    private const string Setting = "BEYLA_HEURISTIC_SQL_DETECT";

    /// <summary>As the client mariadb sends them, and its server reads them: the header of a packet by itself, then the text.</summary>
    [LiveTheory("mariadbd", "mariadb"), SocketSources]
    public async Task Statements_on_both_sides(string source)
    {
        using OwnProgram client = new("mariadb");
        await using AgentProcess agent = await StartAsync(source, $"exe_path: \"{client.Glob}\"");
        for (int i = 1; i <= 10; i++)
        {
            string id = i.ToString(CultureInfo.InvariantCulture);
            await server.RunByAsync(
                client.Path, MariaDbServer.Database, "SET NAMES utf8mb4", $"SELECT name FROM item WHERE id = {id} AND name <> 'secret'",
                $"UPDATE item SET price = price + {id} WHERE id = {id}", "SELECT 1", "SHOW TABLES",
                $"INSERT INTO item VALUES (1000, 'it''s secret', {id})", "DELETE FROM item WHERE id = 1000");
        }

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "sql", server.Port,
            new("SELECT name FROM item WHERE id = ? AND name <> ?", 10), new("UPDATE item SET price = price + ? WHERE id = ?", 10),
            new("INSERT INTO item VALUES (?, ?, ?)", 10), new("DELETE FROM item WHERE id = ?", 10));
        Assert.All(spans, span => Assert.Equal(("other_sql", "protocol"), (span["db.system.name"], span["beyla.guess"])));
        Assert.Equal(
            ["DELETE item", "INSERT item", "SELECT item", "UPDATE item"],
            spans.Select(span => span.Name).Distinct().Order(StringComparer.Ordinal));
        await agent.StopAsync();
    }

    /// <summary>A connection that is older than the agent, and on which nothing was found for long.</summary>
    [LiveTheory("mariadbd", "mariadb"), SocketSources]
    public async Task A_connection_older_than_the_agent(string source)
    {
        using RawMySql connection = await RawMySql.OpenAsync(server.Port, MariaDbServer.Database);
        await connection.RunAsync(RawMySql.Query, "SELECT name FROM item WHERE id = 1");
        await using AgentProcess agent = await StartAsync(source);
        for (int i = 0; i < 100; i++)
        {
            await connection.RunAsync(RawMySql.Ping);
        }

        for (int i = 0; i < 50; i++)
        {
            await connection.RunAsync(RawMySql.Query, "SELECT price FROM item WHERE id = 2");
            await connection.RunAsync(RawMySql.Ping);
        }

        Assert.Equal(0, await connection.RunAsync(RawMySql.Prepare, "SELECT name FROM item WHERE price = ?"));
        // That it failed is not seen: the response is not read.
        Assert.Equal(255, await connection.RunAsync(RawMySql.Query, "SELECT broken FROM nowhere"));
        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(52, span => span.Protocol == "sql");
        Assert.Equal(50, spans.Count(span => span.Query == "SELECT price FROM item WHERE id = ?"));
        Assert.Equal(["SELECT name FROM item WHERE price = ?", "SELECT broken FROM nowhere"], spans.Skip(50).Select(span => span.Query));
        Assert.All(spans, span => Assert.Equal(("complete", ""), (span.Outcome, span.ErrorType)));
        await agent.StopAsync();
    }

    /// <summary>Results and texts that are longer than what is captured; the time that a statement takes.</summary>
    [LiveTheory("mariadbd", "mariadb"), SocketSources]
    public async Task Long_results_and_texts(string source)
    {
        await using AgentProcess agent = await StartAsync(source);
        using RawMySql connection = await RawMySql.OpenAsync(server.Port, MariaDbServer.Database);
        await connection.RunAsync(RawMySql.Query, "SELECT 'first' FROM item WHERE id = 1");
        await connection.RunAsync(RawMySql.Query, "SELECT repeat('x', 50000) FROM item");
        long begun = Stopwatch.GetTimestamp();
        await connection.RunAsync(RawMySql.Query, "SELECT sleep(0.3) FROM item WHERE id = 1");
        TimeSpan took = Stopwatch.GetElapsedTime(begun);
        await connection.RunAsync(RawMySql.Query, $"UPDATE item SET name = '{new string('y', 100_000)}' WHERE id = 3");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(4, span => span.Protocol == "sql");
        Assert.Equal(
            ["SELECT ? FROM item WHERE id = ?", "SELECT repeat(?, ?) FROM item", "SELECT sleep(?) FROM item WHERE id = ?",
                "UPDATE item SET name = ?"],
            spans.Select(span => span.Query));
        Assert.InRange(spans[2].Duration, TimeSpan.FromMilliseconds(300), took);
        await agent.StopAsync();
    }

    /// <summary>The setting is off by default: what is not recognised makes no spans, and hardly any events.</summary>
    [LiveTheory("mariadbd", "mariadb"), SocketSources]
    public async Task Nothing_without_the_setting(string source)
    {
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        using RawMySql connection = await RawMySql.OpenAsync(server.Port, MariaDbServer.Database);
        for (int i = 0; i < 100; i++)
        {
            await connection.RunAsync(RawMySql.Query, "SELECT name FROM item WHERE id = 1");
        }

        await agent.WaitForRecordsAsync(0, _ => true);
        await agent.StopAsync();
        Assert.InRange(agent.Counters["sockets"].Produced, 0, 20);
    }

    private Task<AgentProcess> StartAsync(string source, params string[] rules) => AgentProcess.StartAsync(
        AgentSettings.ForRules([DatabaseTrace.Port(server.Port), .. rules]).WithSource(source).With(Setting, "true"));
}

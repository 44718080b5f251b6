using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Postgres;

/// <summary>Much to transfer: the rows are not read, and the end is found all the same.</summary>
[Collection(PostgresCollection.Name)]
public sealed class VolumeTests(PostgresServer server)
{
    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task Copy_in_both_directions(string source)
    {
        await server.PsqlAsync(PostgresServer.Database, "TRUNCATE copied");
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        Assert.Equal(["20000"], await client.RunAsync("copy-in 20000"));
        Assert.Equal(["20000"], await client.RunAsync("copy-out"));
        await client.RunAsync("select 1");

        await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("COPY copied FROM STDIN"), new("COPY copied TO STDOUT"),
            new("SELECT name FROM item WHERE id = ?"));
        await agent.StopAsync();
    }

    /// <summary>Npgsql begins its copy by a simple query between extended ones.</summary>
    [LiveTheory("postgres"), SocketSources]
    public async Task Binary_copy(string source)
    {
        await using StepClient client = await StepClient.DotnetAsync("npgsql", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        Assert.Equal(["5000"], await client.RunAsync("copy-in 5000"));
        await client.RunAsync("extended 2");

        await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("COPY copied FROM STDIN (FORMAT BINARY)"),
            new("SELECT price FROM item WHERE id = $1", 2));
        await agent.StopAsync();
    }

    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task Results_of_megabytes(string source)
    {
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        Assert.Equal(["5000000"], await client.RunAsync("large 5000"));
        Assert.Equal(["3000000"], await client.RunAsync("value 3000000"));
        Assert.Equal(["5000"], await client.RunAsync("cursor"));
        await client.RunAsync("select 1");

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("SELECT repeat(?, ?) FROM generate_series(?, ?)"), new("SELECT repeat(?, ?)"),
            new("BEGIN"), new("DECLARE \"walk\" CURSOR WITHOUT HOLD FOR SELECT i FROM generate_series(?, ?) i"),
            new("FETCH FORWARD ALL FROM \"walk\""),
            new("CLOSE \"walk\""), new("COMMIT"), new("SELECT name FROM item WHERE id = ?"));
        Assert.All(spans, span => Assert.Equal(
            span.Query.StartsWith("SELECT repeat(?, ?) FROM", StringComparison.Ordinal) || span.Query[0] == 'F' ? 5000 : null,
            span.Rows == 1 ? null : span.Rows));
        await agent.StopAsync();
    }

    /// <summary>A text of 100 KB is one span whose text is cut, by a mark, and whose values are not in it.</summary>
    [LiveTheory("postgres", "python3 psycopg2", "node pg"), SocketSources]
    public async Task Texts_and_parameters_of_many_kilobytes(string source)
    {
        await using StepClient python = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using StepClient node = await StepClient.NodeAsync("postgres_pg.js", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, python.Rule, node.Rule);
        await python.RunAsync("connect");
        await node.RunAsync("connect");

        Assert.Equal(["1"], await python.RunAsync("text 100000"));
        await python.RunAsync("select 2");
        Assert.Equal(["2000000"], await node.RunAsync("value 2000000"));
        await node.RunAsync("extended 2");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(12, span => span.Protocol == "postgresql");
        SpanRecord[] texts = [.. spans.Where(
            span => span.Query.StartsWith("SELECT count(*) FROM item WHERE name IN (", StringComparison.Ordinal))];
        Assert.Equal(2, texts.Length);
        Assert.All(texts, span => Assert.DoesNotContain("item 1", span.Query, StringComparison.Ordinal));
        Assert.All(texts, span => Assert.Equal(("complete", "", "SELECT item"), (span.Outcome, span.Status, span.Name)));
        Assert.Equal(2, spans.Count(span => span.Query == "SELECT length($1::text) AS n"));
        Assert.Equal(4, spans.Count(span => span.Query == "SELECT name FROM item WHERE id = ?"));
        Assert.Equal(4, spans.Count(span => span.Query == "SELECT price FROM item WHERE id = $1"));
        await agent.StopAsync();
    }
}

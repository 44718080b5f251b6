using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Postgres;

/// <summary>Statements that fail, with their SQLSTATE (https://www.postgresql.org/docs/15/errcodes-appendix.html).</summary>
[Collection(PostgresCollection.Name)]
public sealed class ErrorTests(PostgresServer server)
{
    /// <summary>Among them one error that comes after megabytes of rows.</summary>
    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task Every_error_has_its_state(string source)
    {
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");
        int mark = server.Log.Mark;

        Assert.Equal(["23505", "42P01", "42601", "22012", "22012"], await client.RunAsync("errors"));

        Assert.Equal(["23505", "42P01", "42601", "22012", "22012"], server.Log.Errors(mark));
        await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("INSERT INTO item VALUES (?, ?, ?)", 1, "23505"),
            new("SELECT * FROM missing", 1, "42P01"), new("SELEC ?", 1, "42601"),
            new("SELECT ? / (? - i) FROM generate_series(?, ?) i", 1, "22012"),
            new("SELECT repeat(?, ?), ? / (? - i) FROM generate_series(?, ?) i", 1, "22012"));
        await agent.StopAsync();
    }

    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task A_connection_that_the_server_ends(string source)
    {
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        Assert.Equal(["None"], await client.RunAsync("die")); // psycopg2 forgets the state when the connection ends
        await client.RunAsync("select 1");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(4, span => span.Protocol == "postgresql");
        Assert.Equal(2, spans.Count(span => (span.Query, span.Status, span.ErrorType)
            == ("SELECT pg_terminate_backend(pg_backend_pid())", "57P01", "57P01")));
        Assert.Equal(2, spans.Count(span => (span.Query, span.Status) == ("SELECT name FROM item WHERE id = ?", "")));
        await agent.StopAsync();
    }

    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task A_query_that_is_cancelled(string source)
    {
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        Assert.Equal(["57014"], await client.RunAsync("cancel 0.3"));

        IReadOnlyList<SpanRecord> spans = await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new Expected("SELECT pg_sleep(?)", 1, "57014"));
        Assert.All(spans, span => Assert.InRange(span.Duration, TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(20)));
        await agent.StopAsync();
    }

    /// <summary>Five statements in one send with one Sync; the third fails, and the server passes over what stands behind it.</summary>
    [LiveTheory("postgres"), SocketSources]
    public async Task A_pipeline_with_an_error(string source)
    {
        await using StepClient client = await StepClient.DotnetAsync("npgsql", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        Assert.Equal(["22012"], await client.RunAsync("failing"));
        Assert.Equal(["5"], await client.RunAsync("batch 5"));

        await DatabaseTrace.AssertBothSidesAsync(
            agent, "postgresql", server.Port, new("SELECT ? / $1", 2), new("SELECT ? / $1", 1, "22012"),
            new("SELECT ? / $1", 2, Error: "pipeline_aborted"), new("UPDATE item SET price = price WHERE id = $1", 5));
        await agent.StopAsync();
    }

    /// <summary>What a client says to log in, and the password in a statement.</summary>
    [LiveTheory("postgres", "python3 psycopg2"), SocketSources]
    public async Task A_password_is_shown_nowhere(string source)
    {
        await using StepClient client = await StepClient.PythonAsync("postgres_psycopg2.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync($"login {PostgresServer.Password}");
        await client.RunAsync("select 3");
        await server.PsqlAsync(PostgresServer.Database, $"ALTER ROLE alice PASSWORD '{PostgresServer.Password}'");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(7, span => span.Protocol == "postgresql");
        Assert.Equal(6, spans.Count(span => span.Query == "SELECT name FROM item WHERE id = ?"));
        Assert.Single(spans, span => span.Query == "ALTER ROLE alice PASSWORD ?");
        await agent.StopAsync();
        Assert.DoesNotContain(agent.Records, span => span.ToString().Contains(PostgresServer.Password, StringComparison.Ordinal));
        Assert.DoesNotContain(PostgresServer.Password, agent.Errors, StringComparison.Ordinal);
    }
}

using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Redis;

/// <summary>What Redis's protocol allows and what its servers really do with it.</summary>
public sealed class MessageTests
{
    [LiveTheory("redis-server"), SocketSources]
    public async Task Five_thousand_commands_in_one_send(string source)
    {
        const int count = 5000;
        await using RedisServer server = await RedisServer.StartAsync();
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        using RawRedis connection = await RawRedis.OpenAsync(server.Port);

        string pipeline = string.Concat(
            Enumerable.Range(0, count).Select(i => RawRedis.Command("INCRBY", "counter", i % 100 == 99 ? "no" : "1")));
        await connection.SendAsync(pipeline + RawRedis.Command("ECHO", "end"), "$3\r\nend\r\n");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(count + 1, span => span.Protocol == "redis");
        SpanRecord[] increments = [.. spans.Where(span => span.Operation == "INCRBY")];
        Assert.Equal(count, increments.Length);
        // An error belongs to its own command, and the responses come in the order of the commands.
        Assert.Equal(
            Enumerable.Range(0, count).Where(i => i % 100 == 99), Enumerable.Range(0, count).Where(i => increments[i].Status == "ERR"));
        await agent.StopAsync();
    }

    /// <summary>An inline command is a line; the connection has shown before that it is Redis.</summary>
    [LiveTheory("redis-server"), SocketSources]
    public async Task Inline_commands(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        using RawRedis connection = await RawRedis.OpenAsync(server.Port);

        await connection.SendAsync(RawRedis.Command("PING"), "+PONG\r\n");
        await connection.SendAsync("SET inline value\r\n", "+OK\r\n");
        await connection.SendAsync("GET inline\r\nGET \"inline\"\r\n", "$5\r\nvalue\r\n$5\r\nvalue\r\n");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(4, span => span.Protocol == "redis");
        Assert.Equal(["PING", "SET", "GET", "GET"], spans.Select(span => span.Operation));
        await agent.StopAsync();
    }

    [LiveTheory("redis-server"), SocketSources]
    public async Task Resp3_with_pushes_between_responses(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        using RawRedis connection = await RawRedis.OpenAsync(server.Port);

        await connection.SendAsync(RawRedis.Command("HELLO", "3"), "*0\r\n");
        await connection.SendAsync(RawRedis.Command("SUBSCRIBE", "news"), ":1\r\n");
        // In RESP3 a subscribed connection goes on to serve commands; what is published comes as a push, before the response.
        await connection.SendAsync(RawRedis.Command("PUBLISH", "news", "hello") + RawRedis.Command("PING"), "+PONG\r\n");
        await connection.SendAsync(RawRedis.Command("HSET", "hash", "field", "value") + RawRedis.Command("HGETALL", "hash"), "value\r\n");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(6, span => span.Protocol == "redis");
        Assert.Equal(["HELLO", "SUBSCRIBE", "PUBLISH", "PING", "HSET", "HGETALL"], spans.Select(span => span.Operation));
        Assert.All(spans, span => Assert.Equal(("", "complete"), (span.Status, span.Outcome)));
        await agent.StopAsync();
    }

    /// <summary>A queued command's span is there as the others are; the error that EXEC tells belongs to the command that failed.</summary>
    [LiveTheory("redis-server"), SocketSources]
    public async Task Transactions(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        using RawRedis connection = await RawRedis.OpenAsync(server.Port);

        await connection.SendAsync(RawRedis.Command("SET", "text", "x"), "+OK\r\n");
        foreach (string last in new[] { "EXEC", "DISCARD" })
        {
            await connection.SendAsync(RawRedis.Command("MULTI"), "+OK\r\n");
            await connection.SendAsync(RawRedis.Command("SET", "a", "1"), "+QUEUED\r\n");
            await connection.SendAsync(RawRedis.Command("INCR", "text"), "+QUEUED\r\n");
            await connection.SendAsync(RawRedis.Command("GET", "a"), "+QUEUED\r\n");
            await connection.SendAsync(RawRedis.Command(last), last == "EXEC" ? "$1\r\n1\r\n" : "+OK\r\n");
        }

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(11, span => span.Protocol == "redis");
        Assert.Equal(
            new[] { "DISCARD 1", "EXEC 1", "GET 2", "INCR 2", "MULTI 2", "SET 3" },
            spans.GroupBy(span => span.Operation).Select(group => $"{group.Key} {group.Count()}").Order());
        Assert.Equal("INCR", Assert.Single(spans, span => span.Status == "ERR").Operation);
        await agent.StopAsync();
    }

    /// <summary>What is published reaches a subscriber as a response to nothing, and makes no span.</summary>
    [LiveTheory("redis-server", "python3 redis"), SocketSources]
    public async Task Subscriptions(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using StepClient client = await StepClient.PythonAsync("redis_py.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        Assert.Equal(["500"], await client.RunAsync("subscribe 500"));

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(
            2 * 502, span => span.Operation is "PUBLISH" or "SUBSCRIBE" or "PING");
        Assert.Equal(2 * 500, spans.Count(span => span.Operation == "PUBLISH"));
        Assert.InRange(agent.Records.Count, 2 * 502, 2 * 503); // that of UNSUBSCRIBE is no matter of counting
        Assert.All(spans, span => Assert.Equal("complete", span.Outcome));
        await agent.StopAsync();
    }

    [LiveTheory("redis-server", "python3 redis"), SocketSources]
    public async Task A_command_that_waits(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using StepClient client = await StepClient.PythonAsync("redis_py.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        DateTimeOffset from = DateTimeOffset.UtcNow;
        Assert.Equal(["work"], await client.RunAsync("block 0.3"));
        TimeSpan took = DateTimeOffset.UtcNow - from;

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(2, span => span.Operation == "BLPOP");
        // The client's thread may come to write its command a little after it began to wait.
        Assert.All(spans, span => Assert.InRange(span.Duration, TimeSpan.FromMilliseconds(200), took));
        await agent.StopAsync();
    }

    /// <summary>Values of megabytes, and values that look like commands and responses.</summary>
    [LiveTheory("redis-server", "python3 redis"), SocketSources]
    public async Task Values_of_any_size_and_form(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using StepClient client = await StepClient.PythonAsync("redis_py.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await client.RunAsync("connect");

        await client.RunAsync("large 3000000");
        await client.RunAsync("binary");
        await client.RunAsync("set 10");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(2 * 27, span => span.Protocol == "redis");
        Assert.Equal(
            new[] { "GET 16", "PING 2", "SET 36" },
            spans.GroupBy(span => span.Operation).Select(group => $"{group.Key} {group.Count()}").Order());
        Assert.All(spans, span => Assert.Equal(("", "complete"), (span.Status, span.Outcome)));
        await agent.StopAsync();
    }
}

using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Redis;

/// <summary>Connections older than the agent, many at once, and what may be shown of them.</summary>
public sealed class ConnectionTests
{
    private const string Secret = "open-sesame-0815";

    [LiveTheory("redis-server", "python3 redis", "node ioredis"), SocketSources]
    public async Task Connections_older_than_the_agent(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using StepClient python = await StepClient.PythonAsync("redis_py.py", server.Port);
        await using StepClient node = await StepClient.NodeAsync("redis_ioredis.js", server.Port);
        await python.RunAsync("connect");
        await python.RunAsync("set 100");
        await node.RunAsync("connect");

        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, python.Rule, node.Rule);
        await python.RunAsync("get 100");
        await node.RunAsync("set 100");
        await python.RunAsync("large 1000000");
        await node.RunAsync("get 100");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(2 * 302, span => span.Protocol == "redis");
        Assert.Equal(2 * 201, spans.Count(span => span.Operation == "GET"));
        Assert.Equal(2 * 101, spans.Count(span => span.Operation == "SET"));
        Assert.All(spans, span => Assert.Equal(server.Port, span.ServerPort));
        Assert.All(spans, span => Assert.Equal(
            span.Kind == "server" ? server.Pid : span.Pid == python.Pid ? python.Pid : node.Pid, span.Pid));
        await agent.StopAsync();
    }

    [LiveTheory("redis-server"), SocketSources]
    public async Task Two_thousand_connections_at_once(string source)
    {
        const int count = 2000;
        await using RedisServer server = await RedisServer.StartAsync();
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        List<RawRedis> connections = [];
        try
        {
            for (int i = 0; i < count; i++)
            {
                connections.Add(await RawRedis.OpenAsync(server.Port));
            }

            for (int round = 0; round < 2; round++)
            {
                foreach (RawRedis[] some in connections.Chunk(50))
                {
                    await Task.WhenAll(some.Select(connection => connection.SendAsync(RawRedis.Command("INCR", "counter"), "\r\n")));
                }
            }

            IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(2 * count, span => span.Protocol == "redis");
            Assert.All(spans, span => Assert.Equal(("INCR", "", "complete"), (span.Operation, span.Status, span.Outcome)));
            Assert.Equal(count, spans.Select(span => span.Connection).Distinct().Count());
            Assert.All(spans.GroupBy(span => span.ClientPort), group => Assert.Equal(2, group.Count()));
            await agent.StopAsync();
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    [LiveTheory("redis-server", "python3 redis"), SocketSources]
    public async Task Errors_and_passwords(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync("--user", "alice", "on", $">{Secret}", "~*", "+@all");
        await using StepClient client = await StepClient.PythonAsync("redis_py.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        using RawRedis wrong = await RawRedis.OpenAsync(server.Port);

        await client.RunAsync($"login {Secret}");
        await client.RunAsync("errors");
        await wrong.SendAsync(RawRedis.Command("AUTH", "alice", Secret + "x"), "\r\n");
        await wrong.SendAsync(RawRedis.Command("HELLO", "3", "AUTH", "alice", Secret), "*0\r\n");
        await wrong.SendAsync(RawRedis.Command("CONFIG", "SET", "requirepass", Secret), "+OK\r\n");
        await wrong.SendAsync(RawRedis.Command("ACL", "SETUSER", "bob", "on", ">" + Secret), "+OK\r\n");

        // AUTH, PING, SET and four errors on both sides; what the other connection sent from the server alone.
        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(2 * 7 + 4, span => span.Protocol == "redis");
        Assert.Equal(
            ["ERR", "ERR", "ERR", "WRONGPASS", "WRONGTYPE"],
            spans.Where(span => span.Kind == "server").Select(span => span.Status).Where(status => status.Length > 0).Order());
        await agent.StopAsync();
        Assert.DoesNotContain(agent.Records, span => span.ToString().Contains(Secret, StringComparison.Ordinal));
        Assert.DoesNotContain(Secret, agent.Errors, StringComparison.Ordinal);
    }
}

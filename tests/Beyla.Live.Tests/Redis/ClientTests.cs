using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Redis;

/// <summary>
/// Each client of Redis as it is: as many spans of the server and of the client as the server's own statistics have commands, by name.
/// What a client sends of its own accord when it connects counts as well.
/// </summary>
public sealed class ClientTests
{
    [LiveTheory("redis-server", "python3 redis"), SocketSources]
    public async Task Redis_py(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using StepClient client = await StepClient.PythonAsync("redis_py.py", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await RunAsync(client, "connect", "set 300", "get 300", "transaction", "pipeline 3000", "binary");

        IReadOnlyList<SpanRecord> spans = await AssertCommandsAsync(agent, server);
        Assert.Equal(2 * 300, spans.Count(span => span.Operation == "GET" && Matches(span, "key:", "GET key:")));
        Assert.Equal(2 * 300, spans.Count(span => span.Operation == "SET" && Matches(span, "key:", "SET key:")));
        Assert.Equal(2 * 3000, spans.Count(span => Matches(span, "pipe:", "SET pipe:")));
        Assert.All(spans.Where(span => Matches(span, "key:", "SET key:")), span => Assert.EndsWith(" ?", span.Query));
        Assert.All(spans, span => Assert.Equal(("redis", "", "complete"), (span["db.system.name"], span.Status, span.Outcome)));
        Assert.All(spans.Where(span => span.Kind == "client"), span => Assert.Equal(client.Pid, span.Pid));
        Assert.All(spans.Where(span => span.Kind == "server"), span => Assert.Equal(server.Pid, span.Pid));
    }

    [LiveTheory("redis-server", "node ioredis"), SocketSources]
    public async Task Ioredis(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using StepClient client = await StepClient.NodeAsync("redis_ioredis.js", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await RunAsync(client, "connect", "set 1000", "get 200", "transaction", "pipeline 2000", "errors", "large 2000000");

        IReadOnlyList<SpanRecord> spans = await AssertCommandsAsync(agent, server);
        Assert.Equal(
            ["ERR", "ERR", "ERR", "ERR", "WRONGTYPE", "WRONGTYPE"],
            spans.Select(span => span.Status).Where(status => status.Length > 0).Order());
        Assert.All(spans, span => Assert.Equal(span.Status, span.ErrorType));
    }

    [LiveTheory("redis-server"), SocketSources]
    public async Task StackExchange(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using StepClient client = await StepClient.DotnetAsync("redis", server.Port);
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, client);
        await RunAsync(client, "connect", "set 1000", "get 200", "transaction");

        IReadOnlyList<SpanRecord> spans = await AssertCommandsAsync(agent, server);
        Assert.Equal(2 * 200, spans.Count(span => Matches(span, "key:", "GET key:")));
        Assert.Equal(2 * 1000, spans.Count(span => Matches(span, "key:", "SET key:")));
    }

    /// <summary>redis-cli lives for a moment; with -3 it speaks RESP3.</summary>
    [LiveTheory("redis-server", "redis-cli"), SocketSources]
    public async Task Redis_cli(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        using OwnProgram cli = new("redis-cli");
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, $"exe_path: \"{cli.Glob}\"");
        for (int i = 0; i < 10; i++)
        {
            await Tool.RunAsync(cli.Path, "-p", $"{server.Port}", "SET", $"key:{i}", "value");
            await Tool.RunAsync(cli.Path, "-3", "-p", $"{server.Port}", "HSET", "hash", "field", "value");
            await Tool.RunAsync(cli.Path, "-3", "-p", $"{server.Port}", "HGETALL", "hash");
        }

        await AssertCommandsAsync(agent, server);
    }

    private static async Task RunAsync(StepClient client, params string[] steps)
    {
        foreach (string step in steps)
        {
            await client.RunAsync(step);
        }

        await client.EndAsync();
    }

    /// <summary>Ends the agent too: the server's statistics are asked for behind it.</summary>
    private static async Task<IReadOnlyList<SpanRecord>> AssertCommandsAsync(AgentProcess agent, RedisServer server)
    {
        await Wait.UntilAsync(() => agent.HasExited, TimeSpan.FromMilliseconds(300)); // what is under way
        await agent.StopAsync();
        SpanRecord[] spans = [.. agent.Records.Where(span => span.Protocol == "redis")];
        await RedisCommands.AssertSameAsync(server, spans.Where(span => span.Kind == "server"));
        await RedisCommands.AssertSameAsync(server, spans.Where(span => span.Kind == "client"));
        return spans;
    }

    private static bool Matches(SpanRecord span, string key, string start) =>
        span.Query.Contains(key, StringComparison.Ordinal) && span.Query.StartsWith(start, StringComparison.OrdinalIgnoreCase);
}

using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Redis;

/// <summary>Connections that begin with inline commands: plain lines, as scripts and redis-cli --pipe send them.</summary>
public sealed class InlineTests
{
    [LiveTheory("redis-server", "redis-cli"), SocketSources]
    public async Task Thousands_of_lines_by_redis_cli(string source)
    {
        const int count = 5000;
        await using RedisServer server = await RedisServer.StartAsync();
        using OwnProgram cli = new("redis-cli");
        using TempDirectory files = new();
        string lines = files.Write("lines", string.Concat(Enumerable.Range(0, count).Select(i => $"SET key:{i} value-{i}\r\n")));
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port, $"exe_path: \"{cli.Glob}\"");
        await Tool.RunAsync("sh", "-c", $"{cli.Path} -p {server.Port} --pipe < {lines}");

        // At its end it asks for an echo, as an array.
        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(2 * (count + 1), span => span.Protocol == "redis");
        // Each once. Not in order: of a process that is being looked at, spans that find no room to wait (1 MiB) go ahead of those that do.
        foreach (string kind in new[] { "server", "client" })
        {
            Assert.Equal(
                Enumerable.Range(0, count).Select(static i => $"SET key:{i} ?").Order(StringComparer.Ordinal),
                spans.Where(span => span.Kind == kind && span.Operation == "SET").Select(static span => span.Query)
                    .Order(StringComparer.Ordinal));
        }

        Assert.All(spans, span => Assert.Equal("complete", span.Outcome));
        await agent.StopAsync();
    }

    /// <summary>What nc and the bash of a script send, at once, by lines and byte by byte.</summary>
    [LiveTheory("redis-server"), SocketSources]
    public async Task Lines_of_scripts(string source)
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using AgentProcess agent = await DatabaseTrace.StartAsync(source, server.Port);
        using RawRedis atOnce = await RawRedis.OpenAsync(server.Port);
        await atOnce.SendAsync("PING\r\nSET a 1\r\nincr a\n", ":2\r\n");
        using RawRedis byLines = await RawRedis.OpenAsync(server.Port);
        await byLines.SendAsync("get a\r\n", "$1\r\n2\r\n");
        await byLines.SendAsync("NOSUCH a\r\n", "\r\n");
        await byLines.SendAsync($"APPEND a {new string('x', 1000)}\r\n", ":1001\r\n");
        using RawRedis byBytes = await RawRedis.OpenAsync(server.Port);
        foreach (char letter in "SET b 1\r\nGET b\r")
        {
            await byBytes.WriteAsync($"{letter}");
            await Task.Delay(2);
        }

        await byBytes.SendAsync("\n", "$1\r\n1\r\n");
        using RawRedis arrays = await RawRedis.OpenAsync(server.Port);
        await arrays.SendAsync("KEYS b*\r\n", "b\r\n");

        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(9, span => span.Protocol == "redis");
        Assert.Equal(
            ["PING", "SET a ?", "incr a", "get a", "NOSUCH a", "APPEND a ?", "SET b ?", "GET b", "KEYS b*"],
            spans.Select(span => span.Query));
        Assert.Equal("ERR", spans[4].Status);
        await agent.StopAsync();
    }
}

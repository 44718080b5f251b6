using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>Requests that servers accept and that begin in unusual ways, and what is no HTTP although it begins like it.</summary>
public sealed class RecognitionTests
{
    [LiveTheory("nginx"), SocketSources]
    public async Task The_first_request_of_a_connection_cannot_hide(string source)
    {
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        string[] beginnings =
        [
            "\r\nGET /status/404", "\nGET /status/404", "\r\n\r\nGET /status/404",
            string.Concat(Enumerable.Repeat("\r\n", 20)) + "GET /status/404", "BITS_POST /status/404", "RPC_IN_DATA /status/404",
            "M-SEARCH /status/404", "X /status/404", "_A /status/404", "GET  /status/404", "GET         /status/404 ",
        ];
        foreach (string beginning in beginnings)
        {
            using RawConnection connection = await RawConnection.OpenAsync(server.Port);
            await connection.SendAsync(beginning + " HTTP/1.1\r\nHost: a\r\n\r\n");
            Assert.Equal(404, (await connection.ReadAnswerAsync()).Status);
        }

        // Empty lines of their own, too.
        using (RawConnection connection = await RawConnection.OpenAsync(server.Port))
        {
            await connection.SendAsync("\r\n");
            await Task.Delay(50);
            Assert.Equal(404, (await connection.GetAsync("/status/404")).Status);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(beginnings.Length + 1);
        Assert.All(spans, span => Assert.Equal(("/status/404", 404, SpanOutcome.Complete), (span.Path, span.StatusCode, span.Outcome)));
        Assert.Equal([.. beginnings.Select(b => b.Trim().Split(' ')[0]), "GET"], spans.Select(span => span.Method));
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task Any_method_that_a_server_answers_is_seen(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        string[] requests = ["A1 /", "patch /", "FOO.BAR /", "1A /", "GET\t/", "  GET /", "GET /  "];
        foreach (string request in requests)
        {
            using RawConnection connection = await RawConnection.OpenAsync(server.Port);
            await connection.SendAsync(request + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            Assert.Contains("HTTP/1.", await connection.ReadToEndAsync(), StringComparison.Ordinal);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(requests.Length);
        Assert.Equal(["A1", "patch", "FOO.BAR", "1A", "GET", "GET", "GET"], spans.Select(span => span.Method));
        Assert.All(spans, span => Assert.NotEqual(0, span.StatusCode));
        await agent.StopAsync();
    }

    [LiveTheory("python3"), SocketSources]
    public async Task A_body_after_an_early_answer_is_a_body(string source)
    {
        await using TestServer server = await ServerKinds.ScriptAsync("early.py");
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);
        const string forged = "GET /forged HTTP/1.1\r\nHost: a\r\n\r\n";

        await connection.SendAsync($"POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: {forged.Length}\r\n\r\n");
        Assert.Equal(405, (await connection.ReadAnswerAsync()).Status);
        await connection.SendAsync(forged);
        await Task.Delay(50);
        Assert.Equal(200, (await connection.GetAsync("/real")).Status);
        // Refused before the body: the client leaves it out.
        await connection.SendAsync("POST /expect HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
        Assert.Equal(417, (await connection.ReadAnswerAsync()).Status);
        Assert.Equal(200, (await connection.GetAsync("/last")).Status);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(4);
        Assert.Equal(
            [("/refused", 405), ("/real", 200), ("/expect", 417), ("/last", 200)],
            spans.Select(span => (span.Path, span.StatusCode)));
        Assert.Equal(4, agent.Spans.Count);
        await agent.StopAsync();
    }

    [LiveTheory("python3", "curl"), SocketSources]
    public async Task Answers_with_blanks_and_answers_that_cannot_be_read(string source)
    {
        await using TestServer server = await ServerKinds.ScriptAsync("early.py");
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);
        string[] paths = ["/blanks", "/unreadable", "/real", "/icy", "/real"];
        foreach (string path in paths)
        {
            await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            string answer = path switch
            {
                "/blanks" => "HTTP/1.1  201 \t Created\r\nContent-Length: 2\r\n\r\nok",
                "/unreadable" => "HTTP/1.1 2000 Odd\r\nContent-Length: 2\r\n\r\nok",
                "/icy" => "ICY 200 OK\r\n\r\n",
                _ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            };
            Assert.Equal(answer, await connection.TakeAsync(answer.Length));
        }

        Assert.Equal(
            "201", await Tool.RunAsync("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", $"http://127.0.0.1:{server.Port}/blanks"));
        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(6);
        Assert.Equal(
            [("/blanks", 201), ("/unreadable", 0), ("/real", 200), ("/icy", 0), ("/real", 200), ("/blanks", 201)],
            spans.Select(span => (span.Path, span.StatusCode)));
        Assert.Equal(
            [SpanOutcome.Unfinished, SpanOutcome.Unfinished],
            spans.Where(span => span.StatusCode == 0).Select(span => span.Outcome));
        await agent.StopAsync();
    }

    /// <summary>What is none of the protocols costs one look in the kernel, and no event: here TLS records, and numbers.</summary>
    [LiveTheory("python3"), SocketSources]
    public async Task What_is_foreign_leaves_nothing(string source)
    {
        const string echo = """
            import socket, sys
            listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
            while True:
                connection, _ = listener.accept()
                while data := connection.recv(4096):
                    connection.sendall(data)
            """;
        int port = FreePort.Next();
        string number = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await using TestServer server = await TestServer.StartAsync(port, [Tool.Find("python3"), "-c", echo, number]);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(port).WithSource(source));
        string[] records =
        [
            "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003",
            "\u0001\u0002\u0003\u0004\u0005\u0006\u0007",
        ];
        foreach (string record in records)
        {
            using RawConnection connection = await RawConnection.OpenAsync(port);
            for (int i = 0; i < 20; i++)
            {
                await connection.SendAsync(record);
                await connection.TakeAsync(record.Length);
            }
        }

        await agent.StopAsync();
        Assert.Empty(agent.Spans);
        Assert.Equal(0, agent.Counters["sockets"].Produced);
    }
}

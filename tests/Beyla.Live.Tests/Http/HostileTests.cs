using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>What is not HTTP, and HTTP that means harm.</summary>
public sealed class HostileTests
{
    [LiveTheory("python3"), SocketSources]
    public async Task Random_bytes_give_no_span_and_no_growing_cost(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync("echo");
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        Random random = new(20260101);
        byte[] bytes = new byte[700];
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await EchoAsync(3);
        await Task.Delay(200); // the agent has understood that this is no HTTP
        await EchoAsync(2000);
        await Task.Delay(200);

        Assert.Empty(agent.Spans);
        await agent.StopAsync();
        // 4,000 operations were seen at the sockets; what reached the agent of them stays near nothing.
        Assert.InRange(agent.Counters["sockets"].Produced, 0, 100);

        async Task EchoAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                random.NextBytes(bytes);
                bytes[0] |= 0x80; // surely no letter
                await connection.SendAsync(bytes);
                await connection.TakeAsync(bytes.Length);
            }
        }
    }

    [LiveTheory("python3"), SocketSources]
    public async Task Many_connections_of_garbage_leave_the_next_request_visible(string source)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port).WithSource(source));
        Random random = new(7);
        byte[][] greetings =
        [
            [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, .. new byte[193]], // a TLS ClientHello
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(),
            "*1\r\n$4\r\nPING\r\n"u8.ToArray(),
            new byte[300],
        ];
        foreach (byte[] greeting in greetings.SelectMany(greeting => Enumerable.Repeat(greeting, 10)))
        {
            using RawConnection connection = await RawConnection.OpenAsync(server.Port);
            byte[] tail = new byte[random.Next(500)];
            random.NextBytes(tail);
            await connection.SendAsync([.. greeting, .. tail]);
        }

        await HttpRequests.SendAsync(server.Port, 5, "/status/200", connections: 1);

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(5, span => span.Path == "/status/200");
        Assert.All(spans, span => Assert.Equal(200, span.StatusCode));
        Assert.Equal(5, agent.Spans.Count);
        await agent.StopAsync();
    }

    [LiveTheory("python3"), InlineData("text"), InlineData("json"), InlineData("json_indent")]
    public async Task Control_characters_never_reach_the_output(string printer)
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        // Read as text even where it is JSON: what counts here are the characters.
        AgentSettings settings = AgentSettings.ForPorts(server.Port).With("BEYLA_TRACE_PRINTER", printer) with { ReadsAsText = true };
        await using AgentProcess agent = await AgentProcess.StartAsync(settings);
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.SendAsync("GET /\u001b[31mred\u0007\u009b\u007f?q=\u001b]0;title\u0007 HTTP/1.1\r\nHost: \u001b[2Jclear\r\n\r\n");
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);

        Assert.True(await Wait.UntilAsync(() => agent.Output.Contains("red", StringComparison.Ordinal), Wait.Hang), agent.Errors);
        await agent.StopAsync();
        Assert.DoesNotContain(agent.Output, character => char.IsControl(character) && character != '\n');
        Assert.DoesNotContain(agent.Errors, character => char.IsControl(character) && character != '\n');
    }

    [LiveFact("python3")]
    public async Task Sensitive_query_values_are_redacted()
    {
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port) with { ReadsAsText = true });
        using RawConnection connection = await RawConnection.OpenAsync(server.Port);

        await connection.GetAsync("/login?user=alice&token=s3cr3t-1&page=2&X-Amz-Signature=s3cr3t-2&password=s3cr3t-3");

        Assert.True(await Wait.UntilAsync(() => agent.Output.Contains("alice", StringComparison.Ordinal), Wait.Hang), agent.Errors);
        await agent.StopAsync();
        Assert.Contains("user=alice&token=***&page=2&X-Amz-Signature=***&password=***", agent.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", agent.Output, StringComparison.Ordinal);
    }

    /// <summary>
    /// What has the protocol number of TCP and is none of it (raw and netlink sockets), and streams that are not TCP to the process:
    /// nothing of them is read as a tcp_sock, and nothing of what they carry is a connection.
    /// </summary>
    [LiveTheory("python3"), SocketSources]
    public async Task Sockets_that_only_look_like_TCP_are_no_connections(string source)
    {
        const string script = """
            import socket, sys, threading
            REQUEST = b"GET /raw HTTP/1.1\r\nHost: a\r\n\r\n"
            ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            AF_NETLINK, AF_VSOCK, NETLINK_XFRM, IPPROTO_MPTCP = 16, 40, 6, 262

            def raw(family, address):
                s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
                s.connect((address, 0))
                for i in range(10):
                    s.send(REQUEST)
                    assert REQUEST in s.recv(4096)

            def netlink():
                s = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
                s.bind((0, 0))
                for i in range(10):
                    s.sendto(REQUEST, (s.getsockname()[0], 0)) # to itself
                    assert s.recv(4096) == REQUEST

            def pair(kind):
                a, b = socket.socketpair(socket.AF_UNIX, kind)
                exchange(a, b)

            def exchange(a, b):
                for i in range(10):
                    a.sendall(REQUEST)
                    assert b.recv(4096) == REQUEST
                    b.sendall(ANSWER)
                    assert a.recv(4096) == ANSWER

            def stream(family, protocol, address):
                listener = socket.socket(family, socket.SOCK_STREAM, protocol)
                listener.bind(address)
                listener.listen()
                client = socket.socket(family, socket.SOCK_STREAM, protocol)
                client.connect(listener.getsockname())
                exchange(client, listener.accept()[0])

            socket.setdefaulttimeout(5)
            sys.stdin.read()
            for name, kind in (
                    ("raw", lambda: raw(socket.AF_INET, "127.0.0.1")), ("raw6", lambda: raw(socket.AF_INET6, "::1")), ("netlink", netlink),
                    ("unix", lambda: pair(socket.SOCK_STREAM)), ("unixseq", lambda: pair(socket.SOCK_SEQPACKET)),
                    ("mptcp", lambda: stream(socket.AF_INET, IPPROTO_MPTCP, ("127.0.0.1", 0))),
                    ("vsock", lambda: stream(AF_VSOCK, 0, (1, 0x7fff1234)))):
                try:
                    kind()
                    print(name, "done", flush=True)
                except OSError as e:
                    print(name, e, flush=True)
            """;
        await using ChildProcess client = ChildProcess.Start(Tool.Find("python3"), ["-I", "-c", script]);
        string pid = client.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.For("BEYLA_TARGET_PID", pid).WithSource(source));

        client.CloseInput();
        Assert.True(await client.WaitForExitAsync(TimeSpan.FromSeconds(20)) == 0, client.Errors);
        // The others are there or not by how the kernel was built.
        Assert.Superset(new HashSet<string> { "raw done", "netlink done", "unix done", "unixseq done" },
            client.OutputLines.ToHashSet());

        await agent.StopAsync();
        Assert.Equal((0, 0), (agent.Counters["sockets"].Produced, agent.Counters["tracing connections"].Produced));
    }
}

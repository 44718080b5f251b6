using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>
/// The PROXY protocol, versions 1 and 2, between haproxy and nginx: no request is missing, and the client that is named is shown.
/// </summary>
public sealed class ProxyProtocolTests
{
    [LiveTheory("nginx", "haproxy"), SocketSources]
    public async Task Haproxy_to_nginx(string source)
    {
        foreach (string server in new[] { "send-proxy", "send-proxy-v2" })
        {
            await using TestServer nginx = await Nginx.StartAsync(proxyProtocol: true);
            await using TestServer haproxy = await Haproxy.StartAsync(nginx.Port, server);
            await using AgentProcess agent = await AgentProcess.StartAsync(
                AgentSettings.ForPorts(nginx.Port, haproxy.Port).WithSource(source));
            List<int> clients = [];
            for (int i = 0; i < 3; i++)
            {
                using RawConnection connection = await RawConnection.OpenAsync(haproxy.Port);
                clients.Add(connection.LocalPort);
                for (int request = 0; request < 2; request++)
                {
                    Assert.Equal(200, (await connection.GetAsync("/hello")).Status);
                }
            }

            // At each of the two servers, and as haproxy asks nginx: n requests, n spans of each.
            IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(18, _ => true);
            Assert.Equal(18, spans.Count);
            List<Span> behind = [.. spans.Where(span => span.Kind == SpanKind.Server && span.ServerPort == nginx.Port)];
            List<Span> asked = [.. spans.Where(span => span.Kind == SpanKind.Client)];
            Assert.Equal((6, 6), (behind.Count, asked.Count));
            // nginx hears the client's own port, and talks to haproxy.
            Assert.Equal(clients.SelectMany(port => new[] { port, port }).Order(), behind.Select(span => span.ClientPort).Order());
            Assert.Equal(asked.Select(span => span.LocalPort).Order(), behind.Select(span => span.RemotePort).Order());
            Assert.All(
                behind, span => Assert.Equal(("127.0.0.1", "127.0.0.1"), (span.ClientAddress.ToString(), span.PeerAddress!.ToString())));
            Assert.All(spans.Except(behind), span => Assert.Null(span.PeerAddress));
            await agent.StopAsync();
        }
    }

    [LiveTheory("nginx"), SocketSources]
    public async Task Headers_in_pieces_and_with_the_request(string source)
    {
        await using TestServer nginx = await Nginx.StartAsync(proxyProtocol: true);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(nginx.Port).WithSource(source));
        const string line = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n", get = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
        byte[] binary = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x21, 0, 39, 0x20, 1, 0xd, 0xb8, .. new byte[11], 7, .. new byte[15], 1,
            0x12, 0x67, 0, 80, 4, 0, 0];
        byte[] request = [.. "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"u8];
        byte[] local = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0];
        byte[][][] connections =
        [
            [[.. System.Text.Encoding.ASCII.GetBytes(line + get)]],
            [System.Text.Encoding.ASCII.GetBytes(line), request],
            [[.. binary, .. request]],
            [binary, request],
            [local, request],
        ];
        foreach (byte[][] pieces in connections)
        {
            using RawConnection connection = await RawConnection.OpenAsync(nginx.Port);
            foreach (byte[] piece in pieces)
            {
                await connection.SendAsync(piece);
                await Task.Delay(50); // so that nginx reads each alone
            }

            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        }

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(5);
        Assert.Equal(
            ["192.0.2.7", "192.0.2.7", "2001:db8::7", "2001:db8::7", "127.0.0.1"], spans.Select(span => span.ClientAddress.ToString()));
        Assert.All(spans.Take(4), span => Assert.Equal((4711, "127.0.0.1"), (span.ClientPort, span.RemoteAddress.ToString())));
        Assert.Null(spans[4].PeerAddress);
        Assert.Equal(5, agent.Spans.Count);
        await agent.StopAsync();
    }
}

using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>haproxy with a configuration of its own: one way in, one server behind it.</summary>
internal static class Haproxy
{
    /// <summary>Starts haproxy on a free port of 127.0.0.1.</summary>
    /// <param name="upstream">Port of the server behind it.</param>
    /// <param name="server">What to add to its server line: <c>send-proxy</c>, <c>send-proxy-v2</c>, or nothing.</param>
    /// <param name="accept">Clients begin with a PROXY header.</param>
    public static async Task<TestServer> StartAsync(int upstream, string server, bool accept = false)
    {
        TempDirectory files = new();
        int port = FreePort.Next();
        string configuration = files.Write("haproxy.cfg", $"""
            global
                maxconn 100
            defaults
                mode http
                http-reuse never
                timeout connect 10s
                timeout client 30s
                timeout server 30s
            frontend in
                bind 127.0.0.1:{port}{(accept ? " accept-proxy" : "")}
                default_backend out
            backend out
                server behind 127.0.0.1:{upstream} {server}

            """);
        return await TestServer.StartAsync(port, [Tool.Find("haproxy"), "-db", "-f", configuration], files: files);
    }
}

using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>nginx with a configuration of its own.</summary>
internal static class Nginx
{
    /// <summary>
    /// Starts nginx on a free port, IPv4 and IPv6. Paths: <c>/status/N</c> for some N, <c>/hello</c> without a file, <c>/small.txt</c> (800
    /// bytes), <c>/large.bin</c> (1 MB, or another number of bytes), <c>/proxy/…</c> to another server.
    /// </summary>
    public static async Task<TestServer> StartAsync(
        int workers = 1, bool sendfile = true, int? upstream = null, int? port = null,
        IEnumerable<KeyValuePair<string, string>>? environment = null, bool proxyProtocol = false,
        int large = 1_000_000)
    {
        TempDirectory files = new();
        port ??= FreePort.Next();
        files.Write("small.txt", new string('s', 800));
        files.Write("large.bin", new string('l', large));
        string proxy = upstream is null ? "" : $"location /proxy/ {{ proxy_pass http://127.0.0.1:{upstream}/; }}";
        string configuration = files.Write("nginx.conf", $$"""
            daemon off;
            worker_processes {{workers}};
            worker_rlimit_nofile 8192;
            pid {{files.Path}}/nginx.pid;
            error_log stderr crit;
            events { worker_connections 4096; }
            http {
                access_log off;
                sendfile {{(sendfile ? "on" : "off")}};
                tcp_nodelay on;
                keepalive_requests 1000;
                client_body_temp_path {{files.Path}}/body;
                proxy_temp_path {{files.Path}}/proxy;
                fastcgi_temp_path {{files.Path}}/fastcgi;
                uwsgi_temp_path {{files.Path}}/uwsgi;
                scgi_temp_path {{files.Path}}/scgi;
                server {
                    listen 127.0.0.1:{{port}} backlog=4096{{(proxyProtocol ? " proxy_protocol" : "")}};
                    listen [::1]:{{port}} backlog=4096;
                    root {{files.Path}};
                    location /hello { return 200 "hello\n"; }
                    location /status/204 { return 204; }
                    location /status/301 { return 301 /hello; }
                    location /status/404 { return 404; }
                    location /status/500 { return 500; }
                    location /status/503 { return 503; }
                    {{proxy}}
                }
            }
            """);
        return await TestServer.StartAsync(port.Value,
            [Tool.Find("nginx"), "-p", files.Path, "-e", "stderr", "-c", configuration], environment: environment, files: files);
    }
}

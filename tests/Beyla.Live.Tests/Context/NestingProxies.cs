using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Context;

/// <summary>Proxies that keep connections to what is behind them, which many requests of several clients share.</summary>
internal static class NestingProxies
{
    /// <summary>nginx with two worker processes.</summary>
    /// <param name="backend">The port that it passes requests on to.</param>
    /// <param name="prefix">A command that runs another one.</param>
    public static Task<TestServer> StartNginxAsync(int backend, params IEnumerable<string> prefix)
    {
        TempDirectory files = new();
        int port = FreePort.Next();
        string configuration = files.Write("nginx.conf", $$"""
            daemon off;
            worker_processes 2;
            pid {{files.Path}}/nginx.pid;
            error_log stderr crit;
            events { worker_connections 1024; }
            http {
                access_log off;
                tcp_nodelay on;
                keepalive_requests 100000;
                client_body_temp_path {{files.Path}}/body;
                proxy_temp_path {{files.Path}}/proxy;
                fastcgi_temp_path {{files.Path}}/fastcgi;
                uwsgi_temp_path {{files.Path}}/uwsgi;
                scgi_temp_path {{files.Path}}/scgi;
                upstream behind {
                    server 127.0.0.1:{{backend}};
                    keepalive 32;
                    keepalive_requests 100000;
                }
                server {
                    listen 127.0.0.1:{{port}} backlog=512;
                    location / {
                        proxy_pass http://behind;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                    }
                }
            }
            """);
        return TestServer.StartAsync(
            port, [.. prefix, Tool.Find("nginx"), "-p", files.Path, "-e", "stderr", "-c", configuration], files: files);
    }

    /// <summary>haproxy with two threads.</summary>
    public static Task<TestServer> StartHaproxyAsync(int backend)
    {
        TempDirectory files = new();
        int port = FreePort.Next();
        string configuration = files.Write("haproxy.cfg", $"""
            global
                maxconn 1000
                nbthread 2
            defaults
                mode http
                timeout connect 10s
                timeout client 30s
                timeout server 30s
            frontend in
                bind 127.0.0.1:{port}
                default_backend out
            backend out
                server behind 127.0.0.1:{backend}

            """);
        return TestServer.StartAsync(port, [Tool.Find("haproxy"), "-db", "-f", configuration], files: files);
    }
}

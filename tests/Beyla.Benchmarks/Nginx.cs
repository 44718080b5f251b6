using System.Net;
using System.Net.Sockets;

namespace Beyla.Benchmarks;

/// <summary>
/// nginx with one worker and one small file, on a free loopback port; and two more ports that pass requests on to it, over connections that
/// are kept, and over one for each request.
/// </summary>
internal sealed class Nginx : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("beyla-bench-").FullName;
    private readonly ChildProcess process;

    /// <param name="fileSize">Bytes of the file.</param>
    /// <param name="address">The address it listens on, which this process can reach.</param>
    /// <param name="prefix">A command that runs another one.</param>
    public Nginx(int fileSize = 800, string address = "127.0.0.1", params IEnumerable<string> prefix)
    {
        Port = FreePort();
        KeepingPort = FreePort();
        ConnectingPort = FreePort();
        File.WriteAllText($"{directory}/small", new string('x', fileSize));
        File.WriteAllText(
            $"{directory}/nginx.conf",
            $$"""
            daemon off; worker_processes 1; pid {{directory}}/pid; error_log {{directory}}/error.log;
            worker_rlimit_nofile 40000;
            events { worker_connections 20000; }
            http {
              access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 300s;
              client_body_temp_path {{directory}}; proxy_temp_path {{directory}}; fastcgi_temp_path {{directory}};
              uwsgi_temp_path {{directory}}; scgi_temp_path {{directory}};
              server { listen {{address}}:{{Port}} backlog=4096; root {{directory}}; }
              upstream kept { server {{address}}:{{Port}}; keepalive 64; keepalive_requests 1000000000; keepalive_timeout 300ms; }
              server {
                listen 127.0.0.1:{{KeepingPort}} backlog=4096;
                location / { proxy_pass http://kept; proxy_http_version 1.1; proxy_set_header Connection ""; }
              }
              server { listen 127.0.0.1:{{ConnectingPort}} backlog=4096; location / { proxy_pass http://{{address}}:{{Port}}; } }
            }
            """);
        // nginx drops its rights to a user who has to be able to read the file.
        File.SetUnixFileMode(directory, (UnixFileMode)0b111_101_101);
        string[] command = [.. prefix, "nginx", "-e", $"{directory}/error.log", "-c", $"{directory}/nginx.conf"];
        process = ChildProcess.Start(command[0], command[1..]);
        for (var i = 0; ; i++)
        {
            try
            {
                using var probe = new TcpClient(address, Port);
                break;
            }
            catch (SocketException) when (i < 100)
            {
                Thread.Sleep(50);
            }
        }
    }

    public int Port { get; }

    /// <summary>Passes requests on over connections that are kept.</summary>
    public int KeepingPort { get; }

    /// <summary>Passes each request on over a connection of its own.</summary>
    public int ConnectingPort { get; }

    /// <summary>The worker, the process that serves.</summary>
    public int Worker => int.Parse(
        File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children").Trim(), System.Globalization.CultureInfo.InvariantCulture);

    public string Url => $"http://127.0.0.1:{Port}/small";

    /// <summary>A port that nobody listens on at this moment.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        process.Dispose();
        Directory.Delete(directory, recursive: true);
    }
}

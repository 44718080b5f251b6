using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>
/// nginx in the place of a collector: it takes whatever is sent and writes a line for each request. One port for each way: HTTP/1.1, HTTP/2
/// without TLS, TLS, and TLS that asks for a client's certificate. Its own root signed both certificates.
/// </summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly TestServer server;
    private readonly TempDirectory files;

    private Receiver(TestServer server, TempDirectory files, int[] ports)
    {
        (this.server, this.files) = (server, files);
        (Http, Http2, Tls, MutualTls) = (ports[0], ports[1], ports[2], ports[3]);
    }

    public int Http { get; }

    public int Http2 { get; }

    public int Tls { get; }

    public int MutualTls { get; }

    /// <summary>The certificate of the root; everybody may read it.</summary>
    public string Root => Path.Combine(files.Path, "root.pem");

    /// <summary>The certificate of a client, <c>CN=beyla-client</c>; only its owner may read it, at first root.</summary>
    public string Certificate => Path.Combine(files.Path, "client.pem");

    /// <summary>Its key; the same.</summary>
    public string Key => Path.Combine(files.Path, "client.key");

    /// <summary>What was asked for so far: port, method, path, version, status, length of the body, and who the client is by its
    /// certificate.</summary>
    public IReadOnlyList<string> Requests => [.. File.ReadLines(Path.Combine(files.Path, "access.log"))];

    /// <summary>Starts it on free ports.</summary>
    public static async Task<Receiver> StartAsync()
    {
        TempDirectory files = new();
        MakeCertificates(files);
        int[] ports = [.. Enumerable.Range(0, 4).Select(_ => FreePort.Next())];
        string grpc = "location /opentelemetry. { default_type application/grpc; add_header grpc-status 0; return 200; }";
        string rest = $"{grpc} location / {{ default_type application/x-protobuf; return 200; }}";
        string configuration = files.Write("nginx.conf", $$"""
            daemon off;
            master_process off;
            pid {{files.Path}}/nginx.pid;
            error_log stderr crit;
            events { worker_connections 256; }
            http {
                log_format request '$server_port $request_method $uri $server_protocol $status $content_length $ssl_client_s_dn';
                access_log {{files.Path}}/access.log request;
                client_body_temp_path {{files.Path}}/body;
                proxy_temp_path {{files.Path}}/proxy;
                fastcgi_temp_path {{files.Path}}/fastcgi;
                uwsgi_temp_path {{files.Path}}/uwsgi;
                scgi_temp_path {{files.Path}}/scgi;
                ssl_certificate {{files.Path}}/server.pem;
                ssl_certificate_key {{files.Path}}/server.key;
                server { listen 127.0.0.1:{{ports[0]}}; {{rest}} }
                server { listen 127.0.0.1:{{ports[1]}} http2; {{rest}} }
                server { listen 127.0.0.1:{{ports[2]}} ssl http2; {{rest}} }
                server {
                    listen 127.0.0.1:{{ports[3]}} ssl http2;
                    ssl_client_certificate {{files.Path}}/root.pem;
                    ssl_verify_client on;
                    {{rest}}
                }
            }
            """);
        TestServer server = await TestServer.StartAsync(
            ports[0], [Tool.Find("nginx"), "-p", files.Path, "-e", "stderr", "-c", configuration]);
        return new Receiver(server, files, ports);
    }

    /// <summary>The system's directory of roots with this root alone, to be mounted in its place (openssl-rehash(1)).</summary>
    public async Task<string> RootDirectoryAsync()
    {
        string directory = Directory.CreateDirectory(Path.Combine(files.Path, "roots")).FullName;
        File.Copy(Root, Path.Combine(directory, "root.pem"), overwrite: true);
        await Tool.RunAsync("openssl", "rehash", directory);
        return directory;
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        files.Dispose();
    }

    private static void MakeCertificates(TempDirectory files)
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=beyla-live-root", rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 root = request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
        files.Write("root.pem", root.ExportCertificatePem());
        foreach (string name in (string[])["server", "client"])
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            CertificateRequest leaf = new($"CN=beyla-{name}", key, HashAlgorithmName.SHA256);
            SubjectAlternativeNameBuilder names = new();
            names.AddDnsName("localhost");
            leaf.CertificateExtensions.Add(names.Build());
            using X509Certificate2 certificate = leaf.Create(root, now.AddHours(-1), now.AddMinutes(59), RandomNumberGenerator.GetBytes(8));
            files.Write(name + ".pem", certificate.ExportCertificatePem());
            files.Write(name + ".key", key.ExportPkcs8PrivateKeyPem());
        }

        File.SetUnixFileMode(Path.Combine(files.Path, "client.pem"), UnixFileMode.UserRead);
        File.SetUnixFileMode(Path.Combine(files.Path, "client.key"), UnixFileMode.UserRead);
    }
}

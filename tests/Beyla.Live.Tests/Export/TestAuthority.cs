using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// A certificate authority of one test with a server's certificate for 127.0.0.1, ::1 and localhost and a client's (RFC 5280; P-256), as
/// PEM files in a directory that goes with it.
/// </summary>
internal sealed class TestAuthority : IDisposable
{
    /// <summary>The common name of the client's certificate.</summary>
    public const string ClientName = "beyla test client";

    private readonly TempDirectory files = new();

    public TestAuthority()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=beyla test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 root = request.CreateSelfSigned(From, From.AddDays(2));
        Root = this.files.Write("ca.pem", root.ExportCertificatePem());
        (Server, ServerKey) = Issue(root, "localhost", "1.3.6.1.5.5.7.3.1");
        (Client, ClientKey) = Issue(root, ClientName, "1.3.6.1.5.5.7.3.2");
    }

    /// <summary>The authority's own certificate.</summary>
    public string Root { get; }

    public string Server { get; }

    public string ServerKey { get; }

    public string Client { get; }

    public string ClientKey { get; }

    private static DateTimeOffset From { get; } = DateTimeOffset.UtcNow.AddHours(-1);

    public void Dispose() => this.files.Dispose();

    private (string Certificate, string Key) Issue(X509Certificate2 root, string name, string usage)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = request.Create(root, From, From.AddDays(1), RandomNumberGenerator.GetBytes(16));
        string file = name.Split(' ')[^1];
        return (
            this.files.Write($"{file}.pem", issued.ExportCertificatePem()),
            this.files.Write($"{file}.key", key.ExportPkcs8PrivateKeyPem()));
    }
}

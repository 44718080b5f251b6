using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Beyla.Agent.Export.Otlp;

/// <summary>What is trusted and shown where a connection is encrypted, made of the texts of PEM files.</summary>
public static class OtlpCertificates
{
    /// <summary>Makes the options of a connection.</summary>
    /// <param name="roots">Certificates that are trusted in place of the system's; null for the system's.</param>
    /// <param name="certificate">The agent's own certificate, with those between it and a root; null for none.</param>
    /// <param name="key">Its key; null where it stands beside the certificate.</param>
    /// <param name="skipVerify">Takes any certificate of the receiver.</param>
    /// <exception cref="CryptographicException">A text holds no certificate or key.</exception>
    public static SslClientAuthenticationOptions Make(string? roots, string? certificate, string? key, bool skipVerify)
    {
        var options = new SslClientAuthenticationOptions();
        if (roots is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                // What a certificate says of the network is not followed.
                DisableCertificateDownloads = true,
            };
            policy.CustomTrustStore.ImportFromPem(roots);
            if (policy.CustomTrustStore.Count == 0)
            {
                throw new CryptographicException("there is no certificate in it");
            }

            options.CertificateChainPolicy = policy;
        }

        if (certificate is not null)
        {
            var own = X509Certificate2.CreateFromPem(certificate, key ?? certificate);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificate);
            options.ClientCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true);
        }

        if (skipVerify)
        {
#pragma warning disable CA5359 // Asked for by insecure_skip_verify.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }

        return options;
    }
}

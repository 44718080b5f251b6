using System.Diagnostics.CodeAnalysis;

namespace Beyla.Agent.Configuration;

/// <summary>
/// The URL to which a signal is sent (OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP"): the path of the signal is added to
/// a general endpoint, and one of a signal is taken as it is.
/// </summary>
internal static class OtlpEndpoint
{
    private const int GrpcPort = 4317;

    /// <summary>Reads an endpoint.</summary>
    /// <param name="text">What was set.</param>
    /// <param name="signal"><c>traces</c> or <c>metrics</c>.</param>
    /// <param name="isGeneral">Whether it is the one of all signals.</param>
    /// <param name="isInsecure">Whether one without a scheme, which only gRPC may have, goes without TLS.</param>
    /// <param name="protocol">What was set; where nothing was, the port tells.</param>
    /// <param name="url">The URL to post to.</param>
    /// <param name="error">What is wrong.</param>
    internal static bool TryParse(
        string text, string signal, bool isGeneral, bool isInsecure, ref OtlpProtocol? protocol, [NotNullWhen(true)] out Uri? url,
        out string error)
    {
        error = "a URL such as http://localhost:4318 or https://collector.example:4317 is expected";
        var hasScheme = text.Contains("://", StringComparison.Ordinal);
        if (!Uri.TryCreate(hasScheme ? text : (isInsecure ? "http://" : "https://") + text, UriKind.Absolute, out url)
            || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0)
        {
            return false;
        }

        protocol ??= url.Port == GrpcPort ? OtlpProtocol.Grpc : OtlpProtocol.HttpProtobuf;
        if (protocol == OtlpProtocol.Grpc)
        {
            url = new Uri(url.GetLeftPart(UriPartial.Authority));
            return true;
        }

        if (!hasScheme)
        {
            return false;
        }

        if (isGeneral)
        {
            url = new UriBuilder(url) { Path = url.AbsolutePath.TrimEnd('/') + "/v1/" + signal }.Uri;
        }

        return true;
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Carries requests by the framework's HTTP client: OTLP/HTTP with protocol buffers or JSON, and OTLP/gRPC (OpenTelemetry Protocol
/// specification; gRPC over HTTP/2, "PROTOCOL-HTTP2"). No redirects, cookies or proxies. One thread.
/// </summary>
public sealed class OtlpHttp : IOtlpTransport
{
    /// <summary>Bytes of an answer; a longer one is not read.</summary>
    private const int MaximumAnswer = 4 * 1024 * 1024;

    private readonly OtlpConfiguration options;
    private readonly OtlpSignal signal;
    private readonly HttpClient client;
    private readonly Uri endpoint;
    private readonly GzipBuffer packed = new();

    /// <param name="options">Where to, and how.</param>
    /// <param name="signal">What is sent.</param>
    /// <param name="version">Version of the agent.</param>
    /// <param name="certificates">The certificates that the configuration names, read; null for the system's roots alone.</param>
    public OtlpHttp(OtlpConfiguration options, OtlpSignal signal, string version, SslClientAuthenticationOptions? certificates = null)
    {
        (this.options, this.signal) = (options, signal);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            ActivityHeadersPropagator = null,
            // A value beyond ASCII would be an error with each request.
            RequestHeaderEncodingSelector = static (_, _) => System.Text.Encoding.UTF8,
        };
        if (!IsGrpc)
        {
            handler.ConnectCallback = BlockingConnection.Open;
            handler.PooledConnectionIdleTimeout = BlockingConnection.IdleTimeout;
        }

        if (certificates is not null)
        {
            handler.SslOptions = certificates;
        }

        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaximumAnswer };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("OTel-OTLP-Exporter-beyla", version));
        endpoint = IsGrpc ? new Uri(options.Endpoint, signal.GrpcPath) : options.Endpoint;
        Target = endpoint.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
    }

    /// <inheritdoc/>
    public string Target { get; }

    private bool IsGrpc => options.Protocol == OtlpProtocol.Grpc;

    /// <inheritdoc/>
    public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(limit);
        if (options.Timeout > TimeSpan.Zero)
        {
            timer.CancelAfter(options.Timeout);
        }

        try
        {
            using var request = Make(body);
            // HTTP/2 cannot be spoken on this thread alone.
            using var response = IsGrpc
                ? client.SendAsync(request, HttpCompletionOption.ResponseContentRead, timer.Token).GetAwaiter().GetResult()
                : client.Send(request, HttpCompletionOption.ResponseContentRead, timer.Token);
            var content = response.Content.ReadAsByteArrayAsync(timer.Token).GetAwaiter().GetResult(); // it is there already
            return IsGrpc ? GrpcStatus.Read(response, content) : Read(response, content);
        }
        catch (OperationCanceledException)
        {
            return new OtlpAnswer(OtlpVerdict.Again,
                Reason: limit.IsCancellationRequested ? "its time is over" : $"no answer within {options.Timeout.TotalSeconds:0.###} s");
        }
        catch (HttpRequestException failure)
        {
            // A longer answer than is read is the receiver's last word; anything else of the network may be better the next time.
            var verdict = failure.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded ? OtlpVerdict.Refused : OtlpVerdict.Again;
            return new OtlpAnswer(verdict, Reason: Explain(failure));
        }
        catch (IOException failure)
        {
            return new OtlpAnswer(OtlpVerdict.Again, Reason: failure.Message);
        }
        catch (Exception failure)
            when (failure is InvalidOperationException or NotSupportedException or FormatException or ArgumentException)
        {
            // None is known; one that the framework has kept for an odd answer must not end the agent.
            return new OtlpAnswer(OtlpVerdict.Refused, Reason: failure.Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        client.Dispose();
        packed.Dispose();
    }

    private HttpRequestMessage Make(ReadOnlyMemory<byte> body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        if (options.Protocol == OtlpProtocol.HttpJson)
        {
            body = OtlpJson.Encode(body.Span, signal);
        }

        var isPacked = options.Compress;
        if (isPacked)
        {
            body = packed.Pack(body.Span);
        }

        if (IsGrpc)
        {
            request.Version = HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
            request.Content = new ReadOnlyMemoryContent(GrpcStatus.Frame(body, isPacked));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            if (isPacked)
            {
                _ = request.Headers.TryAddWithoutValidation("grpc-encoding", "gzip");
            }
        }
        else
        {
            request.Content = new ReadOnlyMemoryContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(
                options.Protocol == OtlpProtocol.HttpJson ? "application/json" : "application/x-protobuf");
            if (isPacked)
            {
                request.Content.Headers.ContentEncoding.Add("gzip");
            }
        }

        foreach (var (name, value) in options.Headers)
        {
            _ = request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private OtlpAnswer Read(HttpResponseMessage response, byte[] content)
    {
        var code = (int)response.StatusCode;
        if (response.StatusCode == HttpStatusCode.OK)
        {
            return options.Protocol == OtlpProtocol.HttpJson ? PartialSuccess.OfJson(content) : PartialSuccess.Of(content);
        }

        var reason = FormattableString.Invariant($"HTTP status {code}") + PartialSuccess.MessageOf(response, content);
        return code is 429 or 502 or 503 or 504
            ? new OtlpAnswer(OtlpVerdict.Again, Reason: reason, After: After(response.Headers.RetryAfter))
            : new OtlpAnswer(OtlpVerdict.Refused, Reason: reason);
    }

    /// <summary>Seconds or a date (RFC 9110 section 10.2.3).</summary>
    private static TimeSpan? After(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date is { } date ? TimeSpan.FromTicks(Math.Max(0, (date - DateTimeOffset.UtcNow).Ticks)) : null);

    private static string Explain(HttpRequestException failure)
    {
        var deepest = (Exception)failure;
        while (deepest.InnerException is { } inner)
        {
            deepest = inner;
        }

        var hint = failure.HttpRequestError is HttpRequestError.HttpProtocolError or HttpRequestError.InvalidResponse
            or HttpRequestError.ResponseEnded or HttpRequestError.VersionNegotiationError
            ? "; usually gRPC is at port 4317 and HTTP at 4318: see OTEL_EXPORTER_OTLP_PROTOCOL" : "";
        return deepest.Message + hint;
    }
}

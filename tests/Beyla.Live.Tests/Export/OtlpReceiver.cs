using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Beyla.Live.Tests.Rig;
using Xunit.Sdk;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// An OTLP receiver that shares no code with the agent (tests/tools/otlp-receiver): HTTP and gRPC, each on a free port of 127.0.0.1. It
/// takes what it can decode, and answers what a test tells it to. A test needs <c>otlp-receiver</c>.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Camel = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly ChildProcess process;
    private readonly List<OtlpRequest> requests = [];
    private readonly int control;
    private int read = 1;

    private OtlpReceiver(ChildProcess process, int http, int grpc, int control, string scheme)
    {
        this.process = process;
        this.control = control;
        (HttpPort, GrpcPort) = (http, grpc);
        (HttpUrl, GrpcUrl) = (Url(http), Url(grpc));

        string Url(int port) => string.Create(CultureInfo.InvariantCulture, $"{scheme}://127.0.0.1:{port}");
    }

    public int HttpPort { get; }

    public int GrpcPort { get; }

    public int Pid => this.process.Pid;

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>: without a path.</summary>
    public string HttpUrl { get; }

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> with the protocol <c>grpc</c>.</summary>
    public string GrpcUrl { get; }

    /// <summary>Every request so far, in the order in which they were complete, whatever was answered.</summary>
    public IReadOnlyList<OtlpRequest> Requests
    {
        get
        {
            lock (this.requests)
            {
                foreach (string line in this.process.OutputLines.Skip(this.read))
                {
                    this.requests.Add(OtlpRequest.Read(line));
                    this.read++;
                }

                return [.. this.requests];
            }
        }
    }

    /// <summary>The codes of OpenSSL and node of handshakes that failed.</summary>
    public IReadOnlyList<string> RefusedHandshakes =>
        [.. this.process.ErrorLines.Where(line => line.StartsWith("handshake: ", StringComparison.Ordinal))];

    /// <summary>The spans of the requests that were taken.</summary>
    public IReadOnlyList<OtlpSpan> Spans => [.. Requests.Where(request => request.Taken).SelectMany(OtlpSpan.Of)];

    /// <summary>The metric points of the requests that were taken.</summary>
    public IReadOnlyList<OtlpPoint> Points => [.. Requests.Where(request => request.Taken).SelectMany(OtlpPoint.Of)];

    /// <summary>Starts a receiver and waits until it serves.</summary>
    /// <param name="authority">Where given, both ports have TLS with its certificate and want a client's certificate of its own.</param>
    /// <param name="http">The port of HTTP, where one must be known before the start.</param>
    /// <param name="paths">Paths other than …/v1/traces and …/v1/metrics, with <c>traces</c> or <c>metrics</c>.</param>
    public static async Task<OtlpReceiver> StartAsync(
        TestAuthority? authority = null, int? http = null, IReadOnlyDictionary<string, string>? paths = null)
    {
        (int web, int grpc, int control) = (http ?? FreePort.Next(), FreePort.Next(), FreePort.Next());
        var tls = authority is null ? null : new { Ca = authority.Root, Cert = authority.Server, Key = authority.ServerKey };
        string settings = JsonSerializer.Serialize(new { Http = web, Grpc = grpc, Control = control, Paths = paths, Tls = tls }, Camel);
        ChildProcess process = ChildProcess.Start(
            Tool.Find("node"), [Path.Combine(Repository.Root, "tests/tools/otlp-receiver/receiver.js"), settings],
            [new("NODE_PATH", Path.Combine(Repository.Tools, "otlp-receiver/node_modules"))]);
        OtlpReceiver receiver = new(process, web, grpc, control, authority is null ? "http" : "https");
        if (await Wait.UntilAsync(() => process.HasExited || process.OutputLines.FirstOrDefault() == "serving", Wait.Hang)
            && !process.HasExited)
        {
            return receiver;
        }

        string errors = process.Errors;
        await receiver.DisposeAsync();
        throw new XunitException($"The receiver does not serve: {errors}");
    }

    /// <summary>
    /// Sets what the next requests are answered, in this order; those after them are taken. Replaces what was set before.
    /// </summary>
    public async Task AnswerAsync(params OtlpAnswer[] answers)
    {
        using HttpClient client = new();
        using HttpResponseMessage response = await client.PostAsJsonAsync(
            new Uri($"http://127.0.0.1:{this.control.ToString(CultureInfo.InvariantCulture)}"), answers, Camel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    /// <summary>Waits until it had at least <paramref name="count"/> requests of a signal.</summary>
    public async Task<IReadOnlyList<OtlpRequest>> WaitForRequestsAsync(int count, string signal = "traces", TimeSpan? timeout = null)
    {
        await Wait.UntilAsync(() => Of(signal).Count >= count, timeout ?? Wait.Hang);
        IReadOnlyList<OtlpRequest> seen = Of(signal);
        Assert.True(seen.Count >= count, $"Expected {count} requests with {signal}, got {seen.Count}. {this.process.Errors}");
        return seen;
    }

    /// <summary>Waits for exactly so many spans, and a moment longer for any that should not come.</summary>
    public async Task<IReadOnlyList<OtlpSpan>> WaitForSpansAsync(int count, TimeSpan? timeout = null)
    {
        await Wait.UntilAsync(() => Spans.Count >= count, timeout ?? Wait.Hang);
        await Task.Delay(100);
        IReadOnlyList<OtlpSpan> seen = Spans;
        Assert.True(
            seen.Count == count,
            $"Expected {count} spans, got {seen.Count} in {Requests.Count} requests:\n"
                + $"{string.Join('\n', Requests.TakeLast(5).Select(request => request.Summary))}\n{this.process.Errors}");
        return seen;
    }

    public ValueTask DisposeAsync() => this.process.DisposeAsync();

    private IReadOnlyList<OtlpRequest> Of(string signal) => [.. Requests.Where(request => request.Signal == signal)];
}

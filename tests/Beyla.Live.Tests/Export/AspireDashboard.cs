using System.Globalization;
using System.Net;
using System.Text.Json;
using Beyla.Live.Tests.Rig;
using Xunit.Sdk;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// The dashboard of .NET Aspire: takes OTLP by HTTP and gRPC and shows it; everything on free ports of 127.0.0.1. It proves delivery, not
/// types: it turns each attribute into a string. It answers partial success to spans that it has, and 500 to gzip. A test needs
/// <c>aspire</c>.
/// </summary>
internal sealed class AspireDashboard : IAsyncDisposable
{
    /// <summary>The header field of its key.</summary>
    public const string KeyHeader = "x-otlp-api-key";

    private readonly ChildProcess process;
    private readonly TempDirectory files;
    private readonly HttpClient client;

    private AspireDashboard(ChildProcess process, TempDirectory files, int page, int http, int grpc)
    {
        this.process = process;
        this.files = files;
        (PageUrl, HttpUrl, GrpcUrl) = (Url(page), Url(http), Url(grpc));
        this.client = new HttpClient { BaseAddress = new Uri(PageUrl), Timeout = Wait.Hang };
    }

    /// <summary>Its pages, and below <c>/api/telemetry</c> its query API.</summary>
    public string PageUrl { get; }

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.</summary>
    public string HttpUrl { get; }

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> with the protocol <c>grpc</c>.</summary>
    public string GrpcUrl { get; }

    public int Pid => this.process.Pid;

    /// <summary>Starts a dashboard and waits until it answers.</summary>
    /// <param name="key">Where given, senders must have it in <see cref="KeyHeader"/>, or are answered 401; its pages are open.</param>
    public static async Task<AspireDashboard> StartAsync(string? key = null)
    {
        TempDirectory files = new();
        (int page, int http, int grpc) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        Dictionary<string, string> environment = new(StringComparer.Ordinal)
        {
            ["HOME"] = files.Path, ["TMPDIR"] = files.Path,
            ["ASPNETCORE_URLS"] = Url(page),
            ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = Url(http),
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = Url(grpc),
            ["DASHBOARD__FRONTEND__AUTHMODE"] = "Unsecured",
            ["DASHBOARD__API__AUTHMODE"] = "Unsecured",
            ["DASHBOARD__OTLP__AUTHMODE"] = key is null ? "Unsecured" : "ApiKey",
        };
        if (key is not null)
        {
            environment["DASHBOARD__OTLP__PRIMARYAPIKEY"] = key;
        }

        // It looks for its files in the directory that it is started in.
        ChildProcess process = ChildProcess.Start(
            "/bin/sh", ["-c", "cd \"$1\" && exec ./Aspire.Dashboard", "sh", Path.GetDirectoryName(Repository.Aspire)!], environment);
        AspireDashboard dashboard = new(process, files, page, http, grpc);
        try
        {
            foreach (int port in new[] { page, http, grpc })
            {
                await Wait.ForPortAsync("127.0.0.1", port, process);
            }

            await dashboard.ResourcesAsync();
            return dashboard;
        }
        catch (Exception e)
        {
            string output = process.Output + process.Errors;
            await dashboard.DisposeAsync();
            throw new XunitException($"The dashboard does not answer: {e.Message}\n{output}");
        }
    }

    /// <summary>What it has telemetry of: name, instanceId, hasTraces, hasMetrics.</summary>
    public async Task<IReadOnlyList<JsonElement>> ResourcesAsync() =>
        [.. (await GetAsync("/api/telemetry/resources"))!.Value.EnumerateArray()];

    /// <summary>The spans of a service, up to 10,000; every attribute is a string.</summary>
    public async Task<IReadOnlyList<OtlpSpan>> SpansAsync(string service)
    {
        JsonElement? answer = await GetAsync($"/api/telemetry/spans?limit=10000&resource={Uri.EscapeDataString(service)}");
        return answer is null ? [] : [.. OtlpSpan.Of(answer.Value.GetProperty("data"))];
    }

    /// <summary>Waits for exactly so many spans of a service, and a moment longer for any that should not come.</summary>
    public async Task<IReadOnlyList<OtlpSpan>> WaitForSpansAsync(string service, int count)
    {
        long end = Environment.TickCount64 + (long)Wait.Hang.TotalMilliseconds;
        while ((await SpansAsync(service)).Count < count && Environment.TickCount64 < end)
        {
            await Task.Delay(50);
        }

        await Task.Delay(200);
        IReadOnlyList<OtlpSpan> spans = await SpansAsync(service);
        Assert.True(spans.Count == count, $"Expected {count} spans of {service}, got {spans.Count}.\n{this.process.Output}");
        return spans;
    }

    public async ValueTask DisposeAsync()
    {
        this.client.Dispose();
        if (!this.process.HasExited)
        {
            // It removes its database itself.
            this.process.Signal(ChildProcess.SIGTERM);
            await Wait.UntilAsync(() => this.process.HasExited, TimeSpan.FromSeconds(5));
        }

        await this.process.DisposeAsync();
        this.files.Dispose();
    }

    private static string Url(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    /// <summary>The answer to a query; null where it does not know the resource (404).</summary>
    private async Task<JsonElement?> GetAsync(string path)
    {
        using HttpResponseMessage response = await this.client.GetAsync(new Uri(path, UriKind.Relative));
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        response.EnsureSuccessStatusCode();
        return JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync());
    }
}

using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// Debian's Prometheus on a free port of 127.0.0.1 that scrapes one target each second, with exemplars. It takes its targets up 5 s after
/// its start. A test needs <c>prometheus</c>.
/// </summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    private readonly ChildProcess process;
    private readonly TempDirectory files;
    private readonly HttpClient client;

    private PrometheusServer(ChildProcess process, TempDirectory files, int port)
    {
        this.process = process;
        this.files = files;
        this.client = new HttpClient { BaseAddress = new Uri(Url(port)), Timeout = Wait.Hang };
    }

    public int Pid => this.process.Pid;

    /// <summary>Its address, for a browser.</summary>
    public string PageUrl => this.client.BaseAddress!.ToString();

    /// <summary>
    /// Starts a server that scrapes <c>http://127.0.0.1:target/path</c>, and waits until it is ready: it has not scraped yet.
    /// </summary>
    /// <param name="target">The port of what is scraped.</param>
    public static async Task<PrometheusServer> StartAsync(int target, string path = "/metrics")
    {
        TempDirectory files = new();
        int port = FreePort.Next();
        string configuration = files.Write("prometheus.yml", $$"""
            global: { scrape_interval: 1s, scrape_timeout: 1s }
            scrape_configs:
            - job_name: beyla
              honor_labels: true
              metrics_path: {{path}}
              static_configs: [{ targets: ["127.0.0.1:{{target}}"] }]
            """);
        ChildProcess process = ChildProcess.Start(
            Tool.Find("prometheus"),
            [$"--config.file={configuration}", $"--storage.tsdb.path={files.Path}/data",
                $"--web.listen-address={Url(port)["http://".Length..]}", "--enable-feature=exemplar-storage", "--log.level=warn"]);
        PrometheusServer server = new(process, files, port);
        try
        {
            await Wait.ForPortAsync("127.0.0.1", port, process);
            await server.UntilAsync(async () => (await server.client.GetAsync(new Uri("/-/ready", UriKind.Relative))).IsSuccessStatusCode);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until its last scrape of the target worked.</summary>
    public Task WaitUntilUpAsync() => UntilAsync(async () =>
    {
        JsonElement targets = (await GetAsync("/api/v1/targets")).GetProperty("activeTargets");
        return targets.EnumerateArray().Any(target => target.GetProperty("health").GetString() == "up");
    });

    /// <summary>An instant query whose result is a vector.</summary>
    public async Task<IReadOnlyList<PrometheusSample>> QueryAsync(string query) =>
        [.. (await GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}")).GetProperty("result").EnumerateArray().Select(sample =>
            new PrometheusSample(Labels(sample.GetProperty("metric")), Number(sample.GetProperty("value")[1])))];

    /// <summary>Waits until a query has this one value: <c>sum(…)</c>, <c>count(…)</c>.</summary>
    public Task WaitForAsync(string query, double value) => UntilAsync(
        async () => await QueryAsync(query) is [{ Value: var found }] && found.Equals(value),
        async () => $"{query} is not {value}: {string.Join(", ", (await QueryAsync(query)).Select(sample => sample.Value))}");

    /// <summary>Waits until a query finds nothing: a series ends with the first scrape that does not have it.</summary>
    public Task WaitForNoneAsync(string query) => UntilAsync(async () => (await QueryAsync(query)).Count == 0);

    /// <summary>The exemplars of the last hour: labels of the exemplar, and its value.</summary>
    public async Task<IReadOnlyList<PrometheusSample>> ExemplarsAsync(string query)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        JsonElement series = await GetAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"/api/v1/query_exemplars?query={Uri.EscapeDataString(query)}&start={now - 3600}&end={now + 10}"));
        return [.. series.EnumerateArray().SelectMany(one => one.GetProperty("exemplars").EnumerateArray()).Select(exemplar =>
            new PrometheusSample(Labels(exemplar.GetProperty("labels")), Number(exemplar.GetProperty("value"))))];
    }

    /// <summary>Type, unit and help of a metric, from the last scrape.</summary>
    public async Task<(string Type, string Unit, string Help)> MetadataAsync(string metric)
    {
        JsonElement found = (await GetAsync($"/api/v1/metadata?metric={Uri.EscapeDataString(metric)}")).GetProperty(metric)[0];
        return (found.GetProperty("type").GetString()!, found.GetProperty("unit").GetString()!, found.GetProperty("help").GetString()!);
    }

    public async ValueTask DisposeAsync()
    {
        this.client.Dispose();
        await this.process.DisposeAsync();
        this.files.Dispose();
    }

    private static string Url(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private static Dictionary<string, string> Labels(JsonElement labels) =>
        labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!, StringComparer.Ordinal);

    private static double Number(JsonElement text) => text.GetString() switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        var number => double.Parse(number!, CultureInfo.InvariantCulture),
    };

    private async Task<JsonElement> GetAsync(string path)
    {
        JsonElement answer = await this.client.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative));
        Assert.Equal("success", answer.GetProperty("status").GetString());
        return answer.GetProperty("data");
    }

    private async Task UntilAsync(Func<Task<bool>> condition, Func<Task<string>>? message = null)
    {
        long end = Environment.TickCount64 + (long)Wait.Hang.TotalMilliseconds;
        while (!await condition())
        {
            if (Environment.TickCount64 > end)
            {
                Assert.Fail($"{(message is null ? "It did not come true." : await message())}\n{this.process.Errors}");
            }

            await Task.Delay(50);
        }
    }
}

/// <summary>A sample of a vector, or an exemplar.</summary>
internal sealed record PrometheusSample(IReadOnlyDictionary<string, string> Labels, double Value);

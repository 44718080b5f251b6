using System.Net;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>The dashboard itself, by requests written by hand.</summary>
public sealed class AspireDashboardTests
{
    [LiveFact("aspire")]
    public async Task Keeps_each_span_once_and_wants_the_key()
    {
        await using AspireDashboard dashboard = await AspireDashboard.StartAsync(key: "secret");
        using HttpClient client = OtlpSender.Client();
        string json = OtlpSender.Json("shop", 40);

        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(json, "wrong")).Status);
        Assert.Empty(await dashboard.SpansAsync("shop"));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(json, "secret")).Status);
        IReadOnlyList<OtlpSpan> spans = await dashboard.WaitForSpansAsync("shop", 40);
        Assert.Equal(
            Enumerable.Range(1, 40).Select(i => $"/{i}").Order(), spans.Select(span => (string)span.Attributes["url.path"]).Order());
        Assert.Equal(40, spans.Select(span => span.SpanId).Distinct().Count());
        Assert.All(spans, span => Assert.Equal((2, "shop"), (span.Kind, span.Service)));

        // Half of these it has.
        (HttpStatusCode status, string answer) = await SendAsync(OtlpSender.Json("shop", 40, first: 21), "secret");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("\"rejectedSpans\":\"20\"", answer.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        await dashboard.WaitForSpansAsync("shop", 60);

        async Task<(HttpStatusCode Status, string Answer)> SendAsync(string body, string key)
        {
            using HttpRequestMessage request = OtlpSender.Post(dashboard.HttpUrl + "/v1/traces", body);
            request.Headers.Add(AspireDashboard.KeyHeader, key);
            using HttpResponseMessage response = await client.SendAsync(request);
            return (response.StatusCode, await response.Content.ReadAsStringAsync());
        }
    }

    [LiveFact("aspire", "chromium", "chromedriver")]
    public async Task Shows_what_it_has()
    {
        await using AspireDashboard dashboard = await AspireDashboard.StartAsync();
        using HttpClient client = OtlpSender.Client();
        using HttpResponseMessage call = await client.SendAsync(OtlpSender.Call(dashboard.GrpcUrl, OtlpSender.Protobuf));
        Assert.Equal(0, await OtlpSender.StatusAsync(call));
        await dashboard.WaitForSpansAsync("shop", 1);

        await using Browser browser = await Browser.StartAsync();
        await browser.OpenAsync(dashboard.PageUrl + "/traces", "GET /a");
        byte[] picture = await File.ReadAllBytesAsync(await browser.PictureAsync("aspire-traces"));
        Assert.True(picture.AsSpan().StartsWith(new byte[] { 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a }), "no PNG");
    }
}

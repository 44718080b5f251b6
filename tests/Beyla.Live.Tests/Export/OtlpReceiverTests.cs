using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>The receiver itself, by requests written by hand.</summary>
public sealed class OtlpReceiverTests
{
    [LiveTheory("otlp-receiver")]
    [InlineData("json")]
    [InlineData("protobuf")]
    [InlineData("gzip")]
    public async Task Http(string form)
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using HttpClient client = OtlpSender.Client();
        const string json = """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
            {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"1112131415161718","name":"GET /a","kind":2,
            "startTimeUnixNano":"1000000000","attributes":[{"key":"n","value":{"intValue":"16384"}}],"status":{"code":2}}]}]}]}
            """;
        byte[] body = form == "json" ? Encoding.UTF8.GetBytes(json) : OtlpSender.Protobuf;
        using HttpRequestMessage request = OtlpSender.Post(
            receiver.HttpUrl + "/base/v1/traces", body, form == "json" ? "application/json" : "application/x-protobuf", form == "gzip");
        request.Headers.Add("x-tenant", "a=b");

        using HttpResponseMessage response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(form == "json" ? "{}" : "", await response.Content.ReadAsStringAsync());
        AssertTheSpan(Assert.Single(await receiver.WaitForSpansAsync(1)));
        OtlpRequest seen = Assert.Single(receiver.Requests);
        Assert.Equal(("http", "/base/v1/traces", "traces", body.Length), (seen.Transport, seen.Path, seen.Signal, seen.BodySize));
        Assert.Equal("a=b", seen.Headers["x-tenant"]);
        Assert.Equal(form == "gzip" ? "gzip" : null, seen.Headers.GetValueOrDefault("content-encoding"));
        Assert.Equal(form != "gzip", seen.Size == body.Length);
        Assert.Equal(form != "gzip", seen.Hash == Convert.ToHexStringLower(SHA256.HashData(body)));
        Assert.True(seen.Taken);
        Assert.Null(seen.Tls);
    }

    [LiveTheory("otlp-receiver")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Grpc(bool gzip)
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using HttpClient client = OtlpSender.Client();
        await receiver.AnswerAsync(
            new OtlpAnswer { Status = 8, Text = "full", Headers = new Dictionary<string, string> { ["grpc-status-details-bin"] = "CAg=" } },
            new OtlpAnswer { Partial = new OtlpPartial(3, "no") }, new OtlpAnswer { Close = true });

        using HttpResponseMessage refused = await client.SendAsync(OtlpSender.Call(receiver.GrpcUrl, OtlpSender.Protobuf, gzip));
        Assert.Equal(8, await OtlpSender.StatusAsync(refused));
        Assert.Equal("CAg", refused.Headers.GetValues("grpc-status-details-bin").Single().TrimEnd('='));
        using HttpResponseMessage partly = await client.SendAsync(OtlpSender.Call(receiver.GrpcUrl, OtlpSender.Protobuf, gzip));
        Assert.Equal(0, await OtlpSender.StatusAsync(partly));
        // ExportTraceServiceResponse: partial_success 1 { rejected_spans 1, error_message 2 }, after the five bytes of the frame.
        Assert.Equal("0A0608031202" + "6E6F", Convert.ToHexString((await partly.Content.ReadAsByteArrayAsync())[5..]));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => client.SendAsync(OtlpSender.Call(receiver.GrpcUrl, OtlpSender.Protobuf, gzip)));
        using HttpResponseMessage taken = await client.SendAsync(OtlpSender.Call(receiver.GrpcUrl, OtlpSender.Protobuf, gzip));
        Assert.Equal(0, await OtlpSender.StatusAsync(taken));
        using HttpResponseMessage unreadable = await client.SendAsync(OtlpSender.Call(receiver.GrpcUrl, [0xff], gzip));
        Assert.Equal(3, await OtlpSender.StatusAsync(unreadable));

        IReadOnlyList<OtlpRequest> requests = await receiver.WaitForRequestsAsync(5);
        Assert.Equal([false, true, false, true, false], requests.Select(request => request.Taken));
        Assert.All(receiver.Spans, AssertTheSpan);
        Assert.Equal(2, receiver.Spans.Count);
        Assert.All(requests, request => Assert.Equal(
            ("grpc", "application/grpc", "trailers", gzip ? "gzip" : null),
            (request.Transport, request.ContentType, request.Headers["te"], request.Headers.GetValueOrDefault("grpc-encoding"))));
    }

    [LiveFact("otlp-receiver")]
    public async Task Answers()
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using HttpClient client = OtlpSender.Client();
        await receiver.AnswerAsync(
            OtlpAnswer.RetryAfter(503, "1"), OtlpAnswer.Code(429) with { Times = 2 }, new OtlpAnswer { Close = true },
            new OtlpAnswer { Partial = new OtlpPartial(7, "too old") }, new OtlpAnswer { Huge = 5_000_000 },
            new OtlpAnswer { Delay = 300 }, OtlpAnswer.Code(400) with { Times = -1 });

        using (HttpResponseMessage busy = await SendAsync())
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, busy.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), busy.Headers.RetryAfter!.Delta);
        }

        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage many = await SendAsync();
            Assert.Equal(HttpStatusCode.TooManyRequests, many.StatusCode);
        }

        await Assert.ThrowsAsync<HttpRequestException>(SendAsync);
        using HttpResponseMessage partly = await SendAsync();
        Assert.Equal("0A0B0807120774" + "6F6F206F6C64", Convert.ToHexString(await partly.Content.ReadAsByteArrayAsync()));
        using HttpResponseMessage huge = await SendAsync();
        Assert.Equal(5_000_000, (await huge.Content.ReadAsByteArrayAsync()).Length);
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage slow = await SendAsync();
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(290));
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage bad = await SendAsync();
            Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
        }

        Assert.Equal(10, (await receiver.WaitForRequestsAsync(10)).Count);
        Assert.Equal(2, receiver.Spans.Count);
        Assert.Single(receiver.Requests.Select(request => request.Hash).Distinct());

        Task<HttpResponseMessage> SendAsync() => client.SendAsync(
            OtlpSender.Post(receiver.HttpUrl + "/v1/traces", OtlpSender.Protobuf, "application/x-protobuf"));
    }

    [LiveFact("otlp-receiver")]
    public async Task Refuses_what_is_no_export()
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync(
            paths: new Dictionary<string, string>(StringComparer.Ordinal) { ["/"] = "traces" });
        using HttpClient client = OtlpSender.Client();

        Assert.Equal(400, await SendAsync(OtlpSender.Post(receiver.HttpUrl + "/v1/traces", [0xff], "application/x-protobuf")));
        Assert.Equal(404, await SendAsync(OtlpSender.Post(receiver.HttpUrl + "/v1/other", OtlpSender.Protobuf, "application/x-protobuf")));
        Assert.Equal(415, await SendAsync(OtlpSender.Post(receiver.HttpUrl + "/v1/traces", OtlpSender.Protobuf, "text/plain")));
        Assert.Equal(405, await SendAsync(new HttpRequestMessage(HttpMethod.Get, receiver.HttpUrl + "/v1/traces")));
        Assert.Empty(receiver.Spans);
        Assert.Equal(200, await SendAsync(OtlpSender.Post(receiver.HttpUrl, OtlpSender.Protobuf, "application/x-protobuf")));
        await receiver.WaitForSpansAsync(1);

        async Task<int> SendAsync(HttpRequestMessage request)
        {
            using HttpRequestMessage own = request;
            using HttpResponseMessage response = await client.SendAsync(own);
            return (int)response.StatusCode;
        }
    }

    [LiveFact("otlp-receiver")]
    public async Task Tls_wants_a_certificate_of_the_client()
    {
        using TestAuthority authority = new();
        using TestAuthority foreign = new();
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync(authority);
        using HttpClient client = OtlpSender.Client(authority);

        using HttpResponseMessage response = await client.SendAsync(
            OtlpSender.Post(receiver.HttpUrl + "/v1/traces", OtlpSender.Protobuf, "application/x-protobuf"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using HttpResponseMessage call = await client.SendAsync(OtlpSender.Call(receiver.GrpcUrl, OtlpSender.Protobuf));
        Assert.Equal(0, await OtlpSender.StatusAsync(call));

        foreach ((TestAuthority trusted, bool shows) in new[] { (authority, false), (foreign, true) })
        {
            using HttpClient other = OtlpSender.Client(trusted, shows);
            await Assert.ThrowsAsync<HttpRequestException>(
                () => other.SendAsync(OtlpSender.Post(receiver.HttpUrl + "/v1/traces", OtlpSender.Protobuf, "application/x-protobuf")));
            await Assert.ThrowsAsync<HttpRequestException>(() => other.SendAsync(OtlpSender.Call(receiver.GrpcUrl, OtlpSender.Protobuf)));
        }

        Assert.True(await Wait.UntilAsync(() => receiver.RefusedHandshakes.Count >= 4, Wait.Hang));
        Assert.Equal(2, receiver.RefusedHandshakes.Count(line => line == "handshake: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"));
        await receiver.WaitForSpansAsync(2);
        Assert.All(receiver.Requests, request => Assert.Equal(
            ("TLSv1.3", TestAuthority.ClientName, true), (request.Tls, request.ClientCertificate, request.Taken)));
        Assert.Equal(["http", "grpc"], receiver.Requests.Select(request => request.Transport));
    }

    private static void AssertTheSpan(OtlpSpan span)
    {
        Assert.Equal(
            ("0102030405060708090a0b0c0d0e0f10", "1112131415161718", "", "GET /a", 2, 1_000_000_000L, 0L, 2, "shop"),
            (span.TraceId, span.SpanId, span.ParentSpanId, span.Name, span.Kind, span.Start, span.End, span.Status, span.Service));
        Assert.Equal(new Dictionary<string, object> { ["n"] = 16384L }, span.Attributes);
    }
}

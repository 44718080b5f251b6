using System.Net;
using System.Text;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// Metric points as the receiver hands them on, from messages written field by field (opentelemetry-proto, metrics.proto).
/// </summary>
public sealed class OtlpPointTests
{
    private const string Trace = "0102030405060708090a0b0c0d0e0f10", Id = "1112131415161718";

    private static readonly byte[] Resource = Message(1, Attribute(1, "service.name", Text(1, "shop")));

    [LiveTheory("otlp-receiver")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_sum(bool whole)
    {
        byte[] value = whole ? Fixed(6, 42) : Fixed(4, BitConverter.DoubleToUInt64Bits(2.5));
        OtlpPoint point = await SendAsync(
            Text(1, "beyla.network.flow.bytes"), Text(2, "Bytes of flows."), Text(3, "By"),
            Message(7, Message(1, Fixed(2, 5), Fixed(3, 9), value, Attribute(7, "direction", Text(1, "request"))), [0x10, 2], [0x18, 1]));

        Assert.Equal(
            ("beyla.network.flow.bytes", "Bytes of flows.", "By", "sum", 2, true, 5L, 9L),
            (point.Metric, point.Description, point.Unit, point.Type, point.Temporality, point.Monotonic, point.Start, point.Time));
        Assert.Equal(whole ? (object)42L : 2.5, point.Value);
        Assert.Equal(new Dictionary<string, object> { ["direction"] = "request" }, point.Attributes);
    }

    [LiveFact("otlp-receiver")]
    public async Task A_histogram_with_an_exemplar()
    {
        byte[] exemplar = Message(
            8, Fixed(2, 8), Fixed(3, BitConverter.DoubleToUInt64Bits(0.05)), Message(4, Convert.FromHexString(Id)),
            Message(5, Convert.FromHexString(Trace)));
        OtlpPoint point = await SendAsync(
            Text(1, "http.server.request.duration"), Text(3, "s"),
            Message(9, Message(
                1, Fixed(2, 5), Fixed(3, 9), Fixed(4, 3), Fixed(5, BitConverter.DoubleToUInt64Bits(1.25)),
                Message(6, Packed(1, 0, 2)), Message(7, Packed(BitConverter.DoubleToUInt64Bits(0.1), BitConverter.DoubleToUInt64Bits(1))),
                exemplar, Attribute(9, "http.response.status_code", [0x18, 0xC8, 1])), [0x10, 1]));

        Assert.Equal(
            ("http.server.request.duration", "s", "histogram", 1, false, 3L, 1.25),
            (point.Metric, point.Unit, point.Type, point.Temporality, point.Monotonic, point.Count, point.Sum));
        Assert.Null(point.Value);
        Assert.Equal([0.1, 1.0], point.Bounds);
        Assert.Equal([1L, 0, 2], point.Buckets);
        Assert.Equal([(Trace, Id, 0.05)], point.Exemplars);
        Assert.Equal(new Dictionary<string, object> { ["http.response.status_code"] = 200L }, point.Attributes);
    }

    [LiveFact("otlp-receiver")]
    public async Task An_exponential_histogram()
    {
        // scale 6 is a sint32: 5 is -3. positive 8: offset 1 (sint32, 4 is 2), bucket_counts 2 as varints.
        OtlpPoint point = await SendAsync(
            Text(1, "a"),
            Message(10, Message(
                1, Fixed(3, 9), Fixed(4, 4), [0x30, 5], Fixed(7, 1), Message(8, [0x08, 4], Message(2, [1, 0, 2]))), [0x10, 2]));

        Assert.Equal(("exponentialHistogram", 2, 4L, 0L), (point.Type, point.Temporality, point.Count, point.Start));
        Assert.Equal([1L, 0, 2], point.Buckets);
        Assert.Equal((-3, 2, "1"), (
            point.Json.GetProperty("scale").GetInt32(), point.Json.GetProperty("positive").GetProperty("offset").GetInt32(),
            point.Json.GetProperty("zeroCount").GetString()));
    }

    private static async Task<OtlpPoint> SendAsync(params byte[][] metric)
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        using HttpClient client = OtlpSender.Client();
        byte[] request = Message(1, Resource, Message(2, Message(2, metric)));
        using HttpResponseMessage response = await client.SendAsync(
            OtlpSender.Post(receiver.HttpUrl + "/v1/metrics", request, "application/x-protobuf"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await receiver.WaitForRequestsAsync(1, "metrics");
        OtlpPoint point = Assert.Single(receiver.Points);
        Assert.Equal("shop", point.Resource["service.name"]);
        return point;
    }

    /// <summary>A field with a length: a message of these parts, or bytes. No part is longer than 16383 bytes.</summary>
    private static byte[] Message(int field, params byte[][] parts)
    {
        byte[] body = [.. parts.SelectMany(part => part)];
        byte[] length = body.Length < 128 ? [(byte)body.Length] : [(byte)(body.Length | 0x80), (byte)(body.Length >> 7)];
        return [(byte)((field << 3) | 2), .. length, .. body];
    }

    private static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Fixed(int field, ulong value) => [(byte)((field << 3) | 1), .. BitConverter.GetBytes(value)];

    private static byte[] Packed(params ulong[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>A KeyValue; <paramref name="value"/> is the field of its AnyValue.</summary>
    private static byte[] Attribute(int field, string key, byte[] value) => Message(field, Text(1, key), Message(2, value));
}

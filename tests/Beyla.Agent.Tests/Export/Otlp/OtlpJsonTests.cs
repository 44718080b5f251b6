using System.Text.Json;
using Beyla.Agent.Export.Otlp;
using static Beyla.Agent.Tests.Export.Otlp.Proto;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>
/// JSON as examples/trace.json and examples/metrics.json of opentelemetry-proto have it, and by the rules of the OpenTelemetry Protocol
/// specification, "JSON Protobuf Encoding".
/// </summary>
public sealed class OtlpJsonTests
{
    [Fact]
    public void Traces()
    {
        var request = Len(1,
            Len(1, Attribute(1, "service.name", "my.service")),
            Len(2,
                Len(1, Text(1, "my.library"), Text(2, "1.0.0"), Attribute(3, "my.scope.attribute", "some scope attribute")),
                Len(2,
                    Hex(1, "5B8EFFF798038103D269B633813FC60C"), Hex(2, "EEE19B7EC3C1B174"), Hex(4, "EEE19B7EC3C1B173"),
                    Text(5, "I'm a server span"), Int(6, 2), Fixed64(7, 1544712660000000000), Fixed64(8, 1544712661000000000),
                    Attribute(9, "my.span.attr", "some value"), Attribute(9, "n", -5), Int(10, 3),
                    Len(15, Text(2, "no"), Int(3, 2)), Fixed32(16, 0x101), Text(3, "a=b"))));
        AssertIs(request, OtlpSignal.Traces, """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},
            "scopeSpans":[{"scope":{"name":"my.library","version":"1.0.0","attributes":[{"key":"my.scope.attribute",
            "value":{"stringValue":"some scope attribute"}}]},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",
            "spanId":"eee19b7ec3c1b174","parentSpanId":"eee19b7ec3c1b173","name":"I'm a server span",
            "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","kind":2,
            "attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}},{"key":"n","value":{"intValue":"-5"}}],
            "droppedAttributesCount":3,"status":{"message":"no","code":2},"flags":257,"traceState":"a=b"}]}]}]}
            """);
    }

    [Fact]
    public void Metrics()
    {
        byte[] times = [.. Fixed64(2, 1544712660300000000), .. Fixed64(3, 1544712660300000001)];
        var value = Attribute(7, "my.counter.attr", "some value");
        var request = Len(1, Len(2,
            Len(2, Text(1, "my.counter"), Text(3, "1"), Text(2, "I am a Counter"), Len(7,
                Len(1, times, Double(4, 5), value), Int(2, 1), Int(3, 1))),
            Len(2, Text(1, "my.gauge"), Len(5, Len(1, times, Fixed64(6, unchecked((ulong)-10L)), Int(8, 1)))),
            Len(2, Text(1, "my.histogram"), Len(9, Int(2, 2), Len(1,
                times, Fixed64(4, 18446744073709551615), Double(5, double.NaN),
                Len(6, [.. Fixed64(0, 1)[1..], .. Fixed64(0, ulong.MaxValue)[1..]]), Len(7, Double(0, 0.5)[1..]),
                Len(8, Double(3, 0.25), Fixed64(2, 7), Hex(4, "EEE19B7EC3C1B174"), Hex(5, "5B8EFFF798038103D269B633813FC60C")),
                Attribute(9, "a", "b"), Double(11, double.NegativeInfinity), Double(12, double.PositiveInfinity)))),
            Len(2, Text(1, "my.exponential.histogram"), Len(10, Int(2, 2), Len(1,
                times, Fixed64(4, 3), Double(5, 10), ZigZag(6, -2), Fixed64(7, 1),
                Len(8, ZigZag(1, -161), Len(2, Varint(0), Varint(2), Varint(ulong.MaxValue))), Attribute(1, "a", "b"),
                Double(12, 0), Double(13, 5))))));
        AssertIs(request, OtlpSignal.Metrics, """
            {"resourceMetrics":[{"scopeMetrics":[{"metrics":[
            {"name":"my.counter","unit":"1","description":"I am a Counter","sum":{"aggregationTemporality":1,"isMonotonic":true,
            "dataPoints":[{"asDouble":5,"startTimeUnixNano":"1544712660300000000","timeUnixNano":"1544712660300000001",
            "attributes":[{"key":"my.counter.attr","value":{"stringValue":"some value"}}]}]}},
            {"name":"my.gauge","gauge":{"dataPoints":[{"asInt":"-10","startTimeUnixNano":"1544712660300000000",
            "timeUnixNano":"1544712660300000001","flags":1}]}},
            {"name":"my.histogram","histogram":{"aggregationTemporality":2,"dataPoints":[{
            "startTimeUnixNano":"1544712660300000000","timeUnixNano":"1544712660300000001","count":"18446744073709551615","sum":"NaN",
            "bucketCounts":["1","18446744073709551615"],"explicitBounds":[0.5],"exemplars":[{"asDouble":0.25,"timeUnixNano":"7",
            "spanId":"eee19b7ec3c1b174","traceId":"5b8efff798038103d269b633813fc60c"}],
            "attributes":[{"key":"a","value":{"stringValue":"b"}}],"min":"-Infinity","max":"Infinity"}]}},
            {"name":"my.exponential.histogram","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{
            "startTimeUnixNano":"1544712660300000000","timeUnixNano":"1544712660300000001","count":"3","sum":10,"scale":-2,
            "zeroCount":"1","positive":{"offset":-161,"bucketCounts":["0","2","18446744073709551615"]},
            "attributes":[{"key":"a","value":{"stringValue":"b"}}],"min":0,"max":5}]}}]}]}]}
            """);
    }

    [Fact]
    public void Values_of_every_type_and_requests_that_were_joined()
    {
        byte[] one = Len(1, Len(1, Len(1, Text(1, "b"), Len(2, Int(2, 1))), Len(1, Text(1, "d"), Len(2, Double(4, 1.5)))));
        byte[] other = Len(1, Len(1, Len(1, Text(1, "l"), Len(2, Len(5, Len(1, Text(1, "x")), Len(1, Int(3, 7)))))));
        AssertIs([.. one, .. other], OtlpSignal.Traces, """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"b","value":{"boolValue":true}},{"key":"d","value":{"doubleValue":1.5}}]}},
            {"resource":{"attributes":[{"key":"l","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"7"}]}}}]}}]}
            """);
        AssertIs([], OtlpSignal.Traces, "{}");
    }

    [Fact]
    public void Text_with_anything_in_it_is_one_line_of_valid_JSON()
    {
        const string Odd = "\"\\\r\n\t\0\u001b[31m<é€😀\u2028";
        var json = OtlpJson.Encode(Len(1, Len(1, Attribute(1, "k", Odd))), OtlpSignal.Traces);
        Assert.DoesNotContain((byte)'\n', json.ToArray());
        using var document = JsonDocument.Parse(json);
        Assert.Equal(Odd, document.RootElement.GetProperty("resourceSpans")[0].GetProperty("resource").GetProperty("attributes")[0]
            .GetProperty("value").GetProperty("stringValue").GetString());
    }

    private static void AssertIs(byte[] request, OtlpSignal signal, string expected)
    {
        var json = OtlpJson.Encode(request, signal);
        using var actual = JsonDocument.Parse(json);
        using var right = JsonDocument.Parse(expected);
        Assert.True(JsonElement.DeepEquals(right.RootElement, actual.RootElement), System.Text.Encoding.UTF8.GetString(json.Span));
    }
}

using System.Text;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>The tracestate of a request (W3C Trace Context level 2, section 3.3), which the span keeps.</summary>
public class TraceStateTests
{
    private const string Parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";

    [Theory]
    [InlineData(Parent + "tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE\r\n", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")]
    [InlineData("TraceState:a=1\r\n" + Parent, "a=1")]
    [InlineData(Parent, "")]
    [InlineData(Parent + "tracestate:\r\n", "")]
    [InlineData("tracestate: a=1\r\n", "")] // section 3.3: without a traceparent it says nothing
    [InlineData("traceparent: 00-x\r\ntracestate: a=1\r\n", "")]
    [InlineData(Parent + "tracestate: a=1\r\nHost: h\r\ntracestate: b=2\r\n", "a=1,b=2")] // section 3.3.1: as one list
    [InlineData(Parent + "tracestate: a=1\r\ntracestate: \r\ntracestate: b=2,c=3\r\n", "a=1,b=2,c=3")]
    public void Is_kept(string fields, string expected) => Assert.Equal(expected, StateOf(fields));

    /// <summary>Section 3.3.1.5: at least 512 bytes; whole members are left out, from the end.</summary>
    [Fact]
    public void A_long_one_loses_its_last_members()
    {
        var fits = string.Join(',', Enumerable.Range(0, 32).Select(static i => $"k{i:00}={new string('v', 11)}"));
        Assert.Equal(511, fits.Length);
        Assert.Equal(fits, StateOf($"{Parent}tracestate: {fits}\r\n"));
        Assert.Equal(fits, StateOf($"{Parent}tracestate: {fits},x=yyyyyyyy,z=1\r\n"));
        Assert.Equal(fits, StateOf($"{Parent}tracestate: {fits}\r\ntracestate: x=1\r\n"));
        Assert.Equal("", StateOf($"{Parent}tracestate: k={new string('v', 600)}\r\n"));
    }

    private static string StateOf(string fields)
    {
        var sink = new Sink();
        var wire = new Wire(new Tracer(new TracerOptions(), new HttpProtocol(new HttpOptions(), sink)));
        wire.Receive($"GET /a HTTP/1.1\r\n{fields}\r\n");
        wire.Send("HTTP/1.1 204 N\r\n\r\n");
        return Assert.Single(sink.States);
    }

    private sealed class Sink : ISpanSink
    {
        public List<string> States { get; } = [];

        public void OnSpan(in SpanData span) => States.Add(Encoding.ASCII.GetString(span.Values.Text(SpanAttribute.TraceState)));
    }
}

using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using static Beyla.Agent.Tests.Export.Otlp.Proto;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>Requests against the numbers of trace_service.proto, trace.proto, resource.proto and common.proto.</summary>
public sealed class TraceBatchTests
{
    private static readonly ServiceResource Web = Resource(Samples.Web, "web"), Plain = Resource(Samples.Plain, "nginx");

    [Fact]
    public void Each_process_is_one_resource_however_its_spans_come()
    {
        var batch = new TraceBatch(new SpanEncoder(AttributeSelection.None), "9.9");
        Add(batch, Samples.Client, Web);
        Add(batch, Samples.Broken, Plain);
        Add(batch, Samples.Postgres, Web);
        Assert.Equal(3, batch.Spans);
        byte[][] scope = [Len(1, Text(1, "beyla"), Text(2, "9.9"))];
        byte[] expected =
        [
            .. Len(1, HeadOf(Web, "web"), Len(2, [.. scope, Len(2, Span(Samples.Client)), Len(2, Span(Samples.Postgres))])),
            .. Len(1, HeadOf(Plain, "nginx"), Len(2, [.. scope, Len(2, Span(Samples.Broken))])),
        ];
        Assert.Equal(Convert.ToHexString(expected), Taken(batch, 3));
        // The next one begins anew.
        Assert.Equal((0, 0), (batch.Spans, batch.Bytes));
        Add(batch, Samples.Broken, Plain);
        Assert.Equal(
            Convert.ToHexString(Len(1, HeadOf(Plain, "nginx"), Len(2, [.. scope, Len(2, Span(Samples.Broken))]))), Taken(batch, 1));
    }

    [Fact]
    public void More_processes_than_are_kept_are_all_sent()
    {
        var batch = new TraceBatch(new SpanEncoder(AttributeSelection.None), "1");
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 2000; i++)
            {
                Add(batch, Samples.Broken, Resource(Samples.Plain, "p" + i));
            }

            var taken = batch.Take();
            var parts = Sorted(taken.Body.Span);
            Assert.Equal((2000, 2000), (taken.Items, parts.Distinct().Count()));
            taken.Release();
        }
    }

    [Fact]
    public void A_span_costs_no_memory()
    {
        var batch = new TraceBatch(new SpanEncoder(AttributeSelection.None, 100), "1");
        SpanData[] spans = [Samples.Client, Samples.Broken, Samples.Postgres, Samples.Redis];
        var least = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 512; i++)
            {
                Add(batch, spans[i % spans.Length], i % 3 == 0 ? Web : Plain);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before); // as Allocation has it
            batch.Take().Release();
        }

        Assert.Equal(0, least);
    }

    private static byte[] Span(SpanData span) => SpanEncoderTests.Encode(span);

    private static byte[] HeadOf(ServiceResource resource, string name) => Len(1,
        Attribute(1, "service.name", name), Attribute(1, "process.pid", resource.Process.Pid));

    private static string Taken(TraceBatch batch, int items)
    {
        var taken = batch.Take();
        Assert.Equal(items, taken.Items);
        var digits = Convert.ToHexString(taken.Body.Span);
        taken.Release();
        return digits;
    }

    private static void Add(TraceBatch batch, in SpanData span, ServiceResource resource)
    {
        // As SpanEncoderTests has them.
        var exported = new ExportedSpan(in span) { Process = resource.Process, Start = 1_787_213_472_820_111, Duration = 1_900_000 };
        batch.Add(in exported, resource);
    }

    private static ServiceResource Resource(ProcessInfo process, string name) => new()
    {
        Process = process, ServiceName = name, ServiceNamespace = "", InstanceId = "",
        Attributes = [new("service.name", name), new("process.pid", (long)process.Pid)],
    };
}

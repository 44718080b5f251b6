using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// The spans of the next request: an ExportTraceServiceRequest in the making, with one ResourceSpans for each process
/// (opentelemetry/proto/collector/trace/v1/trace_service.proto). One thread; does not allocate per span.
/// </summary>
/// <param name="encoder">Writes the spans.</param>
/// <param name="scopeVersion">Version of the agent.</param>
public sealed class TraceBatch(SpanEncoder encoder, string scopeVersion)
{
    private const int MaximumSpare = 2 * 1024 * 1024;

    private readonly Dictionary<ServiceResource, Part> parts = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<ProtobufWriter> spare = [];
    private readonly ProtobufWriter request = new();
    private readonly byte[] scope = SharedMessages.Scope(scopeVersion);
    private Part last;
    private int spareBytes;

    /// <summary>Spans so far.</summary>
    public int Spans { get; private set; }

    /// <summary>Bytes so far, about.</summary>
    public int Bytes { get; private set; }

    /// <summary>Adds a span.</summary>
    public void Add(in ExportedSpan span, ServiceResource resource)
    {
        if (!ReferenceEquals(last.Resource, resource))
        {
            if (!parts.TryGetValue(resource, out last))
            {
                last = new Part(resource, TakeSpare());
                parts.Add(resource, last);
            }
        }

        var before = last.Spans.Length;
        encoder.Write(in span, last.Spans, 2);
        Bytes += last.Spans.Length - before;
        Spans++;
    }

    /// <summary>Ends the request and begins the next one.</summary>
    public OtlpBatch Take()
    {
        foreach (var part in parts.Values)
        {
            var head = part.Resource.Encoded ??= SharedMessages.Resource(part.Resource.Attributes);
            var scopeSpans = scope.Length + part.Spans.Length;
            request.Head(1, head.Length + 1 + ProtobufWriter.LengthOf((uint)scopeSpans) + scopeSpans);
            request.Raw(head);
            request.Head(2, scopeSpans);
            request.Raw(scope);
            request.Raw(part.Spans.Written);
        }

        var batch = new OtlpBatch(request.Copy(), request.Length, Spans);
        request.Clear();
        Drop();
        return batch;
    }

    /// <summary>Begins the next request, and forgets this one.</summary>
    public void Drop()
    {
        foreach (var part in parts.Values)
        {
            part.Spans.Clear();
            if (spareBytes + part.Spans.Capacity <= MaximumSpare)
            {
                spareBytes += part.Spans.Capacity;
                spare.Push(part.Spans);
            }
        }

        parts.Clear();
        (last, Spans, Bytes) = (default, 0, 0);
    }

    private ProtobufWriter TakeSpare()
    {
        if (!spare.TryPop(out var writer))
        {
            return new ProtobufWriter();
        }

        spareBytes -= writer.Capacity;
        return writer;
    }

    private readonly record struct Part(ServiceResource Resource, ProtobufWriter Spans);
}

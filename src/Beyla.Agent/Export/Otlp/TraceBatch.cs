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
    private readonly Stack<Part> spare = [];
    private readonly ProtobufWriter request = new([]);
    private readonly byte[] scope = SharedMessages.Scope(scopeVersion);
    private int spareBytes;

    /// <summary>Spans so far.</summary>
    public int Spans { get; private set; }

    /// <summary>Bytes so far, about.</summary>
    public int Bytes { get; private set; }

    /// <summary>Adds a span.</summary>
    public void Add(in ExportedSpan span, ServiceResource resource)
    {
        var part = resource.Gathered as Part;
        if (part is null || part.Batch != this)
        {
            part = Find(resource);
        }

        var before = part.Spans.Length;
        encoder.Write(in span, part.Spans, 2);
        Bytes += part.Spans.Length - before;
        Spans++;
    }

    /// <summary>Ends the request and begins the next one.</summary>
    public OtlpBatch Take()
    {
        var length = 0;
        foreach (var part in parts.Values)
        {
            length += Sizes(part, out _, out _);
        }

        // Into the array in which the request stays: its exact size is known.
        var body = BatchBuffers.Take(length);
        request.Begin(body);
        foreach (var part in parts.Values)
        {
            _ = Sizes(part, out var resource, out var scopeSpans);
            request.Head(1, resource);
            request.Raw(part.Head);
            request.Head(2, scopeSpans);
            request.Raw(scope);
            request.Raw(part.Spans.Written);
        }

        request.Begin([]); // it belongs to the request now
        var batch = new OtlpBatch(body, length, Spans);
        Drop();
        return batch;
    }

    /// <summary>Begins the next request, and forgets this one.</summary>
    public void Drop()
    {
        foreach (var part in parts.Values)
        {
            // Two batches may take turns with a resource.
            if (part.Resource!.Gathered == part)
            {
                part.Resource.Gathered = null;
            }

            part.Resource = null;
            part.Spans.Clear();
            if (spareBytes + part.Spans.Capacity <= MaximumSpare)
            {
                spareBytes += part.Spans.Capacity;
                spare.Push(part);
            }
        }

        parts.Clear();
        (Spans, Bytes) = (0, 0);
    }

    private Part Find(ServiceResource resource)
    {
        if (!parts.TryGetValue(resource, out var part))
        {
            if (spare.TryPop(out part))
            {
                spareBytes -= part.Spans.Capacity;
            }

            part ??= new Part(this);
            part.Resource = resource;
            parts.Add(resource, part);
        }

        resource.Gathered = part;
        return part;
    }

    /// <summary>Bytes of a ResourceSpans as a field of the request, and of its ScopeSpans without the tag and the length.</summary>
    private int Sizes(Part part, out int resource, out int scopeSpans)
    {
        scopeSpans = scope.Length + part.Spans.Length;
        resource = part.Head.Length + 1 + ProtobufWriter.LengthOf((uint)scopeSpans) + scopeSpans;
        return 1 + ProtobufWriter.LengthOf((uint)resource) + resource;
    }

    /// <summary>The spans of one process.</summary>
    private sealed class Part(TraceBatch batch)
    {
        public TraceBatch Batch { get; } = batch;

        public ServiceResource? Resource { get; set; }

        public ProtobufWriter Spans { get; } = new();

        public byte[] Head => Resource!.Encoded ??= SharedMessages.Resource(Resource.Attributes);
    }
}

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
    private const int MaximumSpare = 2 * 1024 * 1024, MaximumKept = 1024;

    private readonly Dictionary<ServiceResource, Part> parts = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ServiceResource, byte[]> heads = new(ReferenceEqualityComparer.Instance);
    private readonly List<ServiceResource> gone = [];
    private readonly Stack<ProtobufWriter> spare = [];
    private readonly ProtobufWriter request = new();
    private readonly byte[] scope = Scope(scopeVersion);
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
            var head = HeadOf(part.Resource);
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
        foreach (var resource in gone)
        {
            _ = heads.Remove(resource);
        }

        gone.Clear();
        (last, Spans, Bytes) = (default, 0, 0);
    }

    /// <summary>Gives back what is kept of a resource that is not used again.</summary>
    public void Forget(ServiceResource resource)
    {
        if (parts.ContainsKey(resource))
        {
            gone.Add(resource); // its spans are still to be sent
        }
        else
        {
            _ = heads.Remove(resource);
        }
    }

    private static byte[] Scope(string version)
    {
        var writer = new ProtobufWriter(64);
        var scope = writer.Begin(1);
        writer.Text(1, "beyla");
        writer.Text(2, version);
        writer.End(scope);
        return writer.Written.ToArray();
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

    /// <summary>The field of the resource.</summary>
    private byte[] HeadOf(ServiceResource resource)
    {
        if (!heads.TryGetValue(resource, out var head))
        {
            var writer = new ProtobufWriter(512);
            var message = writer.Begin(1);
            AttributeWriter.All(writer, 1, resource.Attributes);
            writer.End(message);
            head = writer.Written.ToArray();
            if (heads.Count < MaximumKept)
            {
                heads.Add(resource, head);
            }
        }

        return head;
    }

    private readonly record struct Part(ServiceResource Resource, ProtobufWriter Spans);
}

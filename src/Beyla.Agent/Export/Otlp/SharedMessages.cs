namespace Beyla.Agent.Export.Otlp;

/// <summary>What stands before spans and before metrics alike. Encoded once for many requests.</summary>
internal static class SharedMessages
{
    /// <summary>
    /// The scope, InstrumentationScope with name 1 and version 2, as field 1 of a ScopeSpans or ScopeMetrics
    /// (opentelemetry/proto/common/v1/common.proto).
    /// </summary>
    /// <param name="version">Version of the agent.</param>
    public static byte[] Scope(string version)
    {
        var writer = new ProtobufWriter(64);
        var scope = writer.Begin(1);
        writer.Text(1, "beyla");
        writer.Text(2, version);
        writer.End(scope);
        return writer.Written.ToArray();
    }

    /// <summary>
    /// A resource, with attributes 1, as field 1 of a ResourceSpans or ResourceMetrics (opentelemetry/proto/resource/v1/resource.proto).
    /// </summary>
    public static byte[] Resource(IEnumerable<KeyValuePair<string, object>> attributes)
    {
        var writer = new ProtobufWriter(512);
        var resource = writer.Begin(1);
        AttributeWriter.All(writer, 1, attributes);
        writer.End(resource);
        return writer.Written.ToArray();
    }
}

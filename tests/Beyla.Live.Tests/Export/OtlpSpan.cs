using System.Text.Json;

namespace Beyla.Live.Tests.Export;

/// <summary>A span as the receiver decoded it (opentelemetry-proto, trace.proto), with the resource and scope that it came under.</summary>
/// <param name="TraceId">32 hexadecimal digits.</param>
/// <param name="SpanId">16 hexadecimal digits.</param>
/// <param name="ParentSpanId">16 hexadecimal digits, or empty for a root.</param>
/// <param name="Kind">1 internal, 2 server, 3 client, 4 producer, 5 consumer.</param>
/// <param name="Start">Nanoseconds since 1970.</param>
/// <param name="End">Nanoseconds since 1970.</param>
/// <param name="Status">0 unset, 1 ok, 2 error.</param>
/// <param name="Links">Trace and span id of each link.</param>
internal sealed record OtlpSpan(
    string TraceId, string SpanId, string ParentSpanId, string TraceState, string Name, int Kind, long Start, long End, int Status,
    string StatusMessage, IReadOnlyDictionary<string, object> Attributes, IReadOnlyDictionary<string, object> Resource, string Scope,
    string ScopeVersion, string SchemaUrl, IReadOnlyList<(string Trace, string Span)> Links)
{
    public string Service => Resource.GetValueOrDefault("service.name") as string ?? "";

    /// <summary>The spans of a request, flattened.</summary>
    public static IEnumerable<OtlpSpan> Of(OtlpRequest request) => Of(request.Body);

    /// <summary>The spans of a message with <c>resourceSpans</c> in OTLP's JSON form.</summary>
    public static IEnumerable<OtlpSpan> Of(JsonElement message)
    {
        foreach (JsonElement group in OtlpRequest.List(message, "resourceSpans"))
        {
            IReadOnlyDictionary<string, object> resource = OtlpRequest.Optional(group, "resource") is { } found
                ? OtlpValue.Attributes(found) : new Dictionary<string, object>(StringComparer.Ordinal);
            foreach (JsonElement scopes in OtlpRequest.List(group, "scopeSpans"))
            {
                JsonElement scope = OtlpRequest.Optional(scopes, "scope") ?? default;
                foreach (JsonElement span in OtlpRequest.List(scopes, "spans"))
                {
                    yield return Read(span, resource, scope, OtlpValue.Text(scopes, "schemaUrl"));
                }
            }
        }
    }

    private static OtlpSpan Read(JsonElement span, IReadOnlyDictionary<string, object> resource, JsonElement scope, string schema)
    {
        JsonElement? status = OtlpRequest.Optional(span, "status");
        bool named = scope.ValueKind == JsonValueKind.Object;
        return new OtlpSpan(
            OtlpValue.Id(span, "traceId", 16), OtlpValue.Id(span, "spanId", 8), OtlpValue.Id(span, "parentSpanId", 8, required: false),
            OtlpValue.Text(span, "traceState"), OtlpValue.Text(span, "name"), OtlpValue.Int(span, "kind"),
            OtlpValue.Long(span, "startTimeUnixNano"), OtlpValue.Long(span, "endTimeUnixNano"),
            status is { } given ? OtlpValue.Int(given, "code") : 0, status is { } said ? OtlpValue.Text(said, "message") : "",
            OtlpValue.Attributes(span), resource, named ? OtlpValue.Text(scope, "name") : "", named ? OtlpValue.Text(scope, "version") : "",
            schema,
            [.. OtlpRequest.List(span, "links").Select(link => (OtlpValue.Id(link, "traceId", 16), OtlpValue.Id(link, "spanId", 8)))]);
    }
}

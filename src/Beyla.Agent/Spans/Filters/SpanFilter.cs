using Beyla.Agent.Configuration;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Spans.Filters;

/// <summary>
/// Tells which spans meet the conditions of <c>filter.application</c>: all of them. A span that has no such attribute has the empty text
/// and no number. One thread; does not allocate for values that repeat.
/// </summary>
public sealed class SpanFilter
{
    private readonly Test[] tests;
    private readonly Utf8Room text = new();

    /// <param name="conditions">All must be met.</param>
    public SpanFilter(IReadOnlyList<AttributeCondition> conditions) => tests = [.. conditions.Select(static condition => Make(condition))];

    /// <summary>Gives the text of an attribute, which may lie in the room.</summary>
    private delegate ReadOnlySpan<byte> TextOf(in ExportedSpan span, SpanFilter filter, Span<byte> room);

    /// <summary>Gives the number of an attribute; null where there is none.</summary>
    private delegate long? NumberOf(in ExportedSpan span);

    /// <summary>Whether spans must have their route before a filter with these conditions sees them.</summary>
    public static bool NeedsRoutes(IEnumerable<AttributeCondition> conditions) =>
        conditions.Any(static condition => condition.Attribute.Name is "http.route" or "name" or "span.name" or "beyla.guess");

    /// <summary>Whether a span meets them all.</summary>
    public bool Passes(in ExportedSpan span)
    {
        Span<byte> room = stackalloc byte[SpanSides.AddressLength];
        foreach (var test in tests)
        {
            if (!(test.Number is { } number ? test.Value.Holds(number(in span)) : test.Value.Holds(test.Text!(in span, this, room))))
            {
                return false;
            }
        }

        return true;
    }

    private static Test Make(AttributeCondition condition)
    {
        var value = new ValueTest(condition.Condition);
        if (SpanAttributes.Find(condition.Attribute.Name) is { } attribute)
        {
            return condition.Attribute.IsNumber
                ? new Test(value, null, (in ExportedSpan span) =>
                    span.Span.Values.Has(attribute) ? span.Span.Values.Number(attribute, 0) : null)
                : new Test(value, (in ExportedSpan span, SpanFilter _, Span<byte> _) => span.Span.Values.Text(attribute), null);
        }

        return condition.Attribute.Name switch
        {
            "span.name" => new(value, static (in ExportedSpan span, SpanFilter _, Span<byte> _) =>
                span.Span.Values.Text(SpanAttribute.Name), null),
            // These two as labels of span metrics have them.
            "span.kind" => new(value, static (in ExportedSpan span, SpanFilter _, Span<byte> _) =>
                span.Span.Kind == SpanKind.Server ? "SPAN_KIND_SERVER"u8 : "SPAN_KIND_CLIENT"u8, null),
            "status.code" => new(value, static (in ExportedSpan span, SpanFilter _, Span<byte> _) =>
                span.Span.Values.Has(SpanAttribute.ErrorType) ? "STATUS_CODE_ERROR"u8 : "STATUS_CODE_UNSET"u8, null),
            "service.name" => new(value, static (in ExportedSpan span, SpanFilter filter, Span<byte> _) =>
                filter.text.Encode(span.Process.ServiceName), null),
            "service.namespace" => new(value, static (in ExportedSpan span, SpanFilter filter, Span<byte> _) =>
                filter.text.Encode(span.Process.ServiceNamespace), null),
            "server.address" => new(value, static (in ExportedSpan span, SpanFilter filter, Span<byte> room) =>
                SpanSides.Server(in span.Span, room, out _), null),
            "server.port" => new(value, null, ServerPort),
            "client.address" => new(value, ClientAddress, null),
            "network.peer.address" => new(value, static (in ExportedSpan span, SpanFilter _, Span<byte> room) =>
                SpanSides.Peer(in span.Span).Address.Format(room), null),
            "network.peer.port" => new(value, null, static (in ExportedSpan span) => SpanSides.Peer(in span.Span).Port),
            var name => throw new ArgumentException($"{name} is no attribute of spans.", nameof(condition)),
        };
    }

    private static long? ServerPort(in ExportedSpan span)
    {
        Span<byte> room = stackalloc byte[SpanSides.AddressLength];
        _ = SpanSides.Server(in span.Span, room, out var port);
        return port == 0 ? null : port;
    }

    /// <summary>Only a server knows who the client is; of a client it would be itself.</summary>
    private static ReadOnlySpan<byte> ClientAddress(in ExportedSpan span, SpanFilter filter, Span<byte> room) =>
        span.Span.Kind == SpanKind.Server ? span.Span.ClientAddress.Format(room) : default;

    private sealed record Test(ValueTest Value, TextOf? Text, NumberOf? Number);
}

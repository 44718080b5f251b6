namespace Beyla.Agent.Configuration;

/// <summary>An attribute that spans, flows or TCP statistics can be filtered by.</summary>
/// <param name="Name">OpenTelemetry name, or the one of Grafana Beyla.</param>
/// <param name="IsNumber">Whether its value is a whole number.</param>
public sealed record FilterAttribute(string Name, bool IsNumber = false)
{
    /// <summary>
    /// Those of spans: the table of attributes, and what else metrics and exported spans have: who spoke with whom, the service, and
    /// the labels of span metrics.
    /// </summary>
    public static IReadOnlyList<FilterAttribute> OfSpans { get; } =
    [
        .. SpanAttributes.All.Select(static row => new FilterAttribute(row.Name, row.IsNumber)),
        new("span.name"), new("span.kind"), new("status.code"), new("service.name"), new("service.namespace"),
        new("server.address"), new("server.port", IsNumber: true), new("client.address"),
        new("network.peer.address"), new("network.peer.port", IsNumber: true),
    ];

    /// <summary>Those of flows.</summary>
    public static IReadOnlyList<FilterAttribute> OfFlows { get; } =
    [
        new("transport"), new("direction"), new("src.address"), new("dst.address"), new("src.port", IsNumber: true),
        new("dst.port", IsNumber: true), new("src.name"), new("dst.name"), new("src.cidr"), new("dst.cidr"), new("iface"),
        new("iface.direction"),
    ];

    /// <summary>Those of TCP statistics.</summary>
    public static IReadOnlyList<FilterAttribute> OfStatistics { get; } =
    [
        new("src.address"), new("dst.address"), new("src.port", IsNumber: true), new("dst.port", IsNumber: true),
        new("server.port", IsNumber: true), new("client.port", IsNumber: true), new("src.cidr"), new("dst.cidr"), new("reason"),
        new("network.tcp.handshake.role"),
    ];

    /// <summary>Dots and underscores are the same.</summary>
    internal bool IsCalled(string name) => AttributeSelection.Plain(name) == AttributeSelection.Plain(Name);
}

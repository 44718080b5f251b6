namespace Beyla.Agent.Flows;

/// <summary>Words for the values of a flow.</summary>
internal static class FlowNames
{
    /// <summary>The word for the part of a flow in its conversation: <c>request</c>, <c>response</c>, <c>unknown</c>.</summary>
    internal static ReadOnlySpan<byte> Of(FlowDirection side) => side switch
    {
        FlowDirection.Request => "request"u8,
        FlowDirection.Response => "response"u8,
        _ => "unknown"u8,
    };

    /// <summary>The word for the way through an interface: <c>ingress</c>, <c>egress</c>.</summary>
    internal static ReadOnlySpan<byte> Of(InterfaceDirection direction) =>
        direction == InterfaceDirection.Egress ? "egress"u8 : "ingress"u8;
}

namespace Beyla.Agent.Export;

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

    /// <summary>TCP flags by name, lowest bit first, with commas between; nothing when there are none.</summary>
    internal static void WriteFlags(uint flags, ref LineWriter line)
    {
        var written = false;
        for (var bit = 0; bit < 8; bit++)
        {
            if ((flags & (1u << bit)) == 0)
            {
                continue;
            }

            if (written)
            {
                line.Write(","u8);
            }

            line.Write(bit switch
            {
                0 => "FIN"u8, 1 => "SYN"u8, 2 => "RST"u8, 3 => "PSH"u8, 4 => "ACK"u8, 5 => "URG"u8, 6 => "ECE"u8, _ => "CWR"u8,
            });
            written = true;
        }
    }
}

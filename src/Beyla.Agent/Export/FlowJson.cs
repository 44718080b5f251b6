using Beyla.Agent.Flows;

namespace Beyla.Agent.Export;

/// <summary>
/// With <c>BEYLA_TRACE_PRINTER=json</c>: one object of type <c>flow</c> per flow in the stream (docs/stream.md). The fields come in the
/// order in which the reader (Beyla.Contracts) expects them first.
/// </summary>
/// <param name="indent">One field per line; not a stream of lines any more.</param>
public sealed class FlowJson(bool indent = false) : IFlowFormat
{
    private readonly TimeText time = TimeText.Utc();

    /// <inheritdoc/>
    public void Write(in FlowData flow, ref LineWriter line)
    {
        var key = flow.Key;
        var value = flow.Value;
        var json = new JsonLine(indent, line);
        json.Begin("flow"u8);
        json.Name("first"u8);
        json.Time(time, flow.First);
        json.Name("last"u8);
        json.Time(time, flow.Last);
        json.Number("transport"u8, key.Protocol);
        json.Name("direction"u8);
        json.Plain(FlowNames.Of(flow.Side));
        json.Captured("interface"u8, flow.Interface, FlowLimits.Name);
        json.Name("interfaceDirection"u8);
        json.Plain(FlowNames.Of(key.Direction));
        json.Name("sourceAddress"u8);
        json.Address(in key.Source);
        json.Number("sourcePort"u8, key.SourcePort);
        json.Name("destinationAddress"u8);
        json.Address(in key.Destination);
        json.Number("destinationPort"u8, key.DestinationPort);
        json.Number("bytes"u8, (long)value.Bytes);
        json.Number("packets"u8, (long)value.Packets);
        json.Number("flags"u8, value.Flags & 0xff);
        Optional(ref json, "sourceName"u8, flow.SourceName);
        Optional(ref json, "destinationName"u8, flow.DestinationName);
        Optional(ref json, "sourceNetwork"u8, flow.SourceNetwork);
        Optional(ref json, "destinationNetwork"u8, flow.DestinationNetwork);
        json.Name("agentAddress"u8);
        json.Address(flow.AgentAddress);
        if (flow.Pid != 0)
        {
            json.Number("pid"u8, flow.Pid);
            json.Captured("processName"u8, flow.ProcessName, FlowLimits.Name);
            if (flow.ServiceName.Length > 0)
            {
                json.Captured("serviceName"u8, flow.ServiceName, FlowLimits.Name);
            }
        }

        json.End();
        line = json.Line;
    }

    private static void Optional(ref JsonLine json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            json.Captured(name, value, FlowLimits.Name);
        }
    }
}

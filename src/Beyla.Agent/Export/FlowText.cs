using Beyla.Agent.Flows;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Export;

/// <summary>Writes one flow as text. One thread; does not allocate.</summary>
public interface IFlowFormat
{
    /// <summary>Writes the whole record with its line feed.</summary>
    /// <param name="flow">The flow.</param>
    /// <param name="line">Has room for <see cref="FlowLimits.Line"/> bytes.</param>
    void Write(in FlowData flow, ref LineWriter line);
}

/// <summary>Most bytes of the texts of a flow.</summary>
public static class FlowLimits
{
    /// <summary>Of a name.</summary>
    public const int Name = 255;

    /// <summary>Of the whole record.</summary>
    public const int Line = 8192;
}

/// <summary>
/// <c>BEYLA_NETWORK_PRINT_FLOWS=1</c>: the line of Grafana Beyla, field by field, and behind it what that lacks: the side of the
/// conversation, bytes, packets, TCP flags, first and last packet (UTC), and the local process. The name of the interface is always
/// there.
/// </summary>
public sealed class FlowText : IFlowFormat
{
    private readonly TimeText time = TimeText.Utc();

    /// <inheritdoc/>
    public void Write(in FlowData flow, ref LineWriter line)
    {
        var key = flow.Key;
        var value = flow.Value;
        line.Write("network_flow: transport="u8);
        line.WriteNumber(key.Protocol);
        line.Write(" beyla.ip="u8);
        line.Write(flow.AgentAddress);
        Text(" iface="u8, flow.Interface, ref line);
        line.Write(" iface_direction="u8);
        line.WriteNumber((long)key.Direction);
        Side(" src.address="u8, in key.Source, ref line);
        Side(" dst.address="u8, in key.Destination, ref line);
        Named(" src.name="u8, flow.SourceName, in key.Source, ref line);
        Named(" dst.name="u8, flow.DestinationName, in key.Destination, ref line);
        Number(" src.port="u8, key.SourcePort, ref line);
        Number(" dst.port="u8, key.DestinationPort, ref line);
        if (flow.SourceNetwork is not null)
        {
            Text(" src.cidr="u8, flow.SourceNetwork, ref line);
        }

        if (flow.DestinationNetwork is not null)
        {
            Text(" dst.cidr="u8, flow.DestinationNetwork, ref line);
        }

        line.Write(" direction="u8);
        line.Write(FlowNames.Of(flow.Side));
        Number(" bytes="u8, (long)value.Bytes, ref line);
        Number(" packets="u8, (long)value.Packets, ref line);
        line.Write(" flags="u8);
        WriteFlags(value.Flags, ref line);
        line.Write(" first="u8);
        Time(flow.First, ref line);
        line.Write(" last="u8);
        Time(flow.Last, ref line);
        if (flow.Pid != 0)
        {
            Number(" pid="u8, flow.Pid, ref line);
            line.Write(" process="u8);
            _ = Escape.Text(flow.ProcessName, FlowLimits.Name, ref line);
            if (flow.ServiceName.Length > 0)
            {
                Text(" service="u8, flow.ServiceName, ref line);
            }
        }

        line.Write("\n"u8);
    }

    private void Time(long unixMicroseconds, ref LineWriter line)
    {
        // Without a blank, so that fields can be split at blanks.
        time.Write(unixMicroseconds, ref line);
        line.Write("Z"u8);
    }

    private static void Number(ReadOnlySpan<byte> name, long number, ref LineWriter line)
    {
        line.Write(name);
        line.WriteNumber(number);
    }

    private static void Text(ReadOnlySpan<byte> name, string text, ref LineWriter line)
    {
        line.Write(name);
        _ = Escape.Text(text, FlowLimits.Name, ref line);
    }

    private static void Side(ReadOnlySpan<byte> name, in Address address, ref LineWriter line)
    {
        line.Write(name);
        line.Write(in address);
    }

    private static void Named(ReadOnlySpan<byte> field, string? name, in Address address, ref LineWriter line)
    {
        if (name is null)
        {
            Side(field, in address, ref line);
        }
        else
        {
            Text(field, name, ref line);
        }
    }

    /// <summary>TCP flags by name, lowest bit first, with commas between; nothing when there are none.</summary>
    private static void WriteFlags(uint flags, ref LineWriter line)
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

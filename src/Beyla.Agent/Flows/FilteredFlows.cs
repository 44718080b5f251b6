using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Flows;

/// <summary>
/// Before printers and metrics of flows: they get the flows that meet the conditions of <c>filter.network</c>, all of them. A name that is
/// not known is the address, as it is printed; what else is not known is the empty text. Counts as place <c>filter.flows</c>. One thread;
/// does not allocate for values that repeat.
/// </summary>
public sealed class FilteredFlows : IFlowSink, ICounted
{
    private readonly IFlowSink sink;
    private readonly (string Attribute, ValueTest Test)[] tests;
    private readonly byte[]?[] protocols = new byte[]?[byte.MaxValue + 1];
    private byte[] text = new byte[256];
    private long emitted, filtered;

    /// <param name="sink">Gets the flows.</param>
    /// <param name="conditions">All must be met.</param>
    public FilteredFlows(IFlowSink sink, IReadOnlyList<AttributeCondition> conditions)
    {
        this.sink = sink;
        tests = [.. conditions.Select(static condition => (condition.Attribute.Name, new ValueTest(condition.Condition)))];
    }

    /// <inheritdoc/>
    public void OnFlow(in FlowData flow)
    {
        if (!Passes(in flow))
        {
            Snapshot.Add(ref filtered);
            return;
        }

        Snapshot.Add(ref emitted);
        sink.OnFlow(in flow);
    }

    /// <inheritdoc/>
    public void Flush() => sink.Flush();

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var (left, unwanted) = (Volatile.Read(ref emitted), Volatile.Read(ref filtered));
        return [new PlaceCounters("filter.flows", "flows", left + unwanted, Emitted: left, Filtered: unwanted)];
    }

    private bool Passes(in FlowData flow)
    {
        foreach (var (attribute, test) in tests)
        {
            if (!Passes(attribute, test, in flow))
            {
                return false;
            }
        }

        return true;
    }

    private bool Passes(string attribute, ValueTest test, in FlowData flow)
    {
        Span<byte> room = stackalloc byte[46];
        var key = flow.Key;
        return attribute switch
        {
            "src.port" => test.Holds((long)key.SourcePort),
            "dst.port" => test.Holds((long)key.DestinationPort),
            "transport" => test.Holds(
                protocols[key.Protocol] ??= Encoding.UTF8.GetBytes(TransportProtocol.NameOf(key.Protocol))),
            "direction" => test.Holds(flow.Side switch
            {
                FlowDirection.Request => "request"u8, FlowDirection.Response => "response"u8, _ => "unknown"u8,
            }),
            "src.address" => test.Holds(Written(in key.Source, room)),
            "dst.address" => test.Holds(Written(in key.Destination, room)),
            "src.name" => test.Holds(flow.SourceName is { } name ? Encode(name) : Written(in key.Source, room)),
            "dst.name" => test.Holds(flow.DestinationName is { } name ? Encode(name) : Written(in key.Destination, room)),
            "src.cidr" => test.Holds(Encode(flow.SourceNetwork ?? "")),
            "dst.cidr" => test.Holds(Encode(flow.DestinationNetwork ?? "")),
            "iface" => test.Holds(Encode(flow.Interface)),
            "iface.direction" => test.Holds(key.Direction == InterfaceDirection.Egress ? "egress"u8 : "ingress"u8),
            _ => throw new InvalidOperationException($"{attribute} is no attribute of flows."),
        };
    }

    private static ReadOnlySpan<byte> Written(in Address address, Span<byte> room) =>
        address.TryFormat(room, out var written) ? room[..written] : default;

    private ReadOnlySpan<byte> Encode(string value)
    {
        if (Encoding.UTF8.GetMaxByteCount(value.Length) is var most && most > text.Length)
        {
            text = new byte[most];
        }

        return text.AsSpan(0, Encoding.UTF8.GetBytes(value, text));
    }
}

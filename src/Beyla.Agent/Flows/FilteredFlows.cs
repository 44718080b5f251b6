using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
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
    private readonly Utf8Room text = new();
    private readonly PassCounter counter = new();

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
        if (counter.Note(Passes(in flow)))
        {
            sink.OnFlow(in flow);
        }
    }

    /// <inheritdoc/>
    public void Flush() => sink.Flush();

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => [counter.Count("filter.flows", "flows")];

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
            "transport" => test.Holds(TransportProtocol.NameOf(key.Protocol)),
            "direction" => test.Holds(FlowNames.Of(flow.Side)),
            "src.address" => test.Holds(key.Source.Format(room)),
            "dst.address" => test.Holds(key.Destination.Format(room)),
            "src.name" => test.Holds(flow.SourceName is { } name ? text.Encode(name) : key.Source.Format(room)),
            "dst.name" => test.Holds(flow.DestinationName is { } name ? text.Encode(name) : key.Destination.Format(room)),
            "src.cidr" => test.Holds(text.Encode(flow.SourceNetwork ?? "")),
            "dst.cidr" => test.Holds(text.Encode(flow.DestinationNetwork ?? "")),
            "iface" => test.Holds(text.Encode(flow.Interface)),
            "iface.direction" => test.Holds(FlowNames.Of(key.Direction)),
            _ => throw new InvalidOperationException($"{attribute} is no attribute of flows."),
        };
    }
}

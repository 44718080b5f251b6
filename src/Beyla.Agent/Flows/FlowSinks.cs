namespace Beyla.Agent.Flows;

/// <summary>Several sinks as one.</summary>
/// <param name="sinks">Each gets every flow, in this order.</param>
public sealed class FlowSinks(params IFlowSink[] sinks) : IFlowSink
{
    /// <inheritdoc/>
    public void OnFlow(in FlowData flow)
    {
        foreach (var sink in sinks)
        {
            sink.OnFlow(in flow);
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        foreach (var sink in sinks)
        {
            sink.Flush();
        }
    }
}

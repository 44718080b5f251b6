using Beyla.Agent.Flows;

namespace Beyla.Agent.Export;

/// <summary>Formats each flow and puts it into the output. The output counts (place <c>printer</c>).</summary>
public sealed class FlowPrinter(IFlowFormat format, OutputQueue output) : IFlowSink
{
    private readonly byte[] buffer = new byte[FlowLimits.Line];

    /// <inheritdoc/>
    public void OnFlow(in FlowData flow)
    {
        var line = new LineWriter(buffer);
        format.Write(in flow, ref line);
        _ = output.Append(line.Written, OutputRecord.Flow);
    }

    /// <inheritdoc/>
    public void Flush() => output.Flush();
}

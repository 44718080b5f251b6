using Beyla.Agent.Flows;

namespace Beyla.Agent.Tests.Flows;

/// <summary>The side with the capabilities, played: it knows who owns which local port, and notes what it was asked.</summary>
internal sealed class PlayedKernel(bool knowsProcesses = true) : IFlowKernel
{
    public Dictionary<int, SocketOwner> Owners { get; } = [];

    /// <summary>The source ports of each batch that it was asked about, and whether the host's end was said to be the host's.</summary>
    public List<(int Port, bool Ours)[]> Asked { get; } = [];

    public bool KnowsProcesses => knowsProcesses;

    public int ProcessRefusal => 0;

    public string Source => "tcx";

    public int InterfaceCount => 1;

    public int OverflowDescriptor => throw new NotSupportedException();

    public uint OverflowSize => throw new NotSupportedException();

    public FlowExchange Exchange { get; } = new();

    public void Start() => throw new NotSupportedException();

    public void Detach() => throw new NotSupportedException();

    public void Swap() => throw new NotSupportedException();

    public bool ReadBatch(bool remove, bool first, out int count) => throw new NotSupportedException();

    public void WalkSockets() => throw new NotSupportedException();

    public FlowCounters Count() => throw new NotSupportedException();

    public void FindOwners(int count)
    {
        Asked.Add([.. Enumerable.Range(0, count).Select(i => ((int)Exchange.Keys[i].SourcePort, Exchange.Ours[i] != 0))]);
        for (int i = 0; i < count; i++)
        {
            Exchange.Found[i] = (byte)(Owners.TryGetValue(Exchange.Keys[i].SourcePort, out SocketOwner owner) ? 1 : 0);
            // What is not found is void, but the reader must not rely on more than the byte.
            Exchange.Owners[i] = Exchange.Found[i] != 0 ? owner : new SocketOwner { Pid = 4711 };
        }
    }

    public void Dispose() => Exchange.Dispose();
}

using Beyla.Agent.Flows;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Keeper;

/// <summary>Network observability by way of the keeper.</summary>
public sealed class KeeperFlows : IFlowKernel
{
    private readonly KeeperConnection desk;

    private KeeperFlows(KeeperConnection desk, FlowFacts facts, int ring, FlowExchange exchange)
    {
        this.desk = desk;
        KnowsProcesses = facts.KnowsProcesses != 0;
        ProcessRefusal = facts.ProcessRefusal;
        (OverflowDescriptor, OverflowSize, Exchange) = (ring, facts.OverflowRing, exchange);
    }

    /// <inheritdoc/>
    public bool KnowsProcesses { get; }

    /// <inheritdoc/>
    public int ProcessRefusal { get; }

    /// <inheritdoc/>
    public string Source => desk.FlowState().Source;

    /// <inheritdoc/>
    public int InterfaceCount => desk.FlowState().Interfaces;

    /// <inheritdoc/>
    public int OverflowDescriptor { get; }

    /// <inheritdoc/>
    public uint OverflowSize { get; }

    /// <inheritdoc/>
    public FlowExchange Exchange { get; }

    /// <summary>What the keeper loaded; null where it did not, which it has said.</summary>
    /// <exception cref="KernelException">The memory cannot be mapped.</exception>
    public static KeeperFlows? Open(KeeperConnection keeper)
    {
        Span<int> given = stackalloc int[MessageSocket.MaximumDescriptors];
        if (keeper.OpenFlows(given) is not { } facts)
        {
            return null;
        }

        var desk = new KeeperConnection(new MessageSocket(given[0]));
        return new KeeperFlows(desk, facts, given[1], new FlowExchange(given[2]));
    }

    /// <inheritdoc/>
    public void Start() => desk.Do(KeeperOperation.FlowStart);

    /// <inheritdoc/>
    public void Detach() => desk.Do(KeeperOperation.FlowDetach);

    /// <inheritdoc/>
    public void Swap() => desk.Do(KeeperOperation.FlowSwap);

    /// <inheritdoc/>
    public bool ReadBatch(bool remove, bool first, out int count)
    {
        var how = (remove ? FlowBatch.Remove : 0) | (first ? FlowBatch.First : 0);
        var more = desk.Do(KeeperOperation.FlowRead, (int)how, out var value);
        // What the other side says is not trusted further than the memory reaches.
        count = (int)Math.Clamp(value, 0, FlowExchange.Capacity);
        return more > 0;
    }

    /// <inheritdoc/>
    public void FindOwners(int count) => desk.Do(KeeperOperation.FlowOwners, count, out _);

    /// <inheritdoc/>
    public void WalkSockets() => desk.Do(KeeperOperation.FlowWalk);

    /// <inheritdoc/>
    public FlowCounters Count() => desk.FlowCount();

    /// <inheritdoc/>
    public void Dispose()
    {
        desk.Dispose();
        Exchange.Dispose();
        _ = Descriptor.Close(OverflowDescriptor);
    }
}

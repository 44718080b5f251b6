using Beyla.Agent.Linux;
using Beyla.Agent.Statistics;

namespace Beyla.Agent.Keeper;

/// <summary>TCP statistics by way of the keeper.</summary>
public sealed class KeeperStatistics : ITcpStatisticKernel
{
    private readonly KeeperConnection desk;

    private KeeperStatistics(KeeperConnection desk, int ring, uint size) => (this.desk, RingDescriptor, RingSize) = (desk, ring, size);

    /// <inheritdoc/>
    public int RingDescriptor { get; }

    /// <inheritdoc/>
    public uint RingSize { get; }

    /// <summary>What the keeper loaded; null where it did not, which it has said.</summary>
    public static KeeperStatistics? Open(KeeperConnection keeper) =>
        // A desk of its own: a walk over many files takes its time, and nobody else is to wait for it.
        keeper.OpenStatistics(out var size) is >= 0 and var ring ? new KeeperStatistics(keeper.Another(), ring, size) : null;

    /// <inheritdoc/>
    public long Walk(bool isLast)
    {
        _ = desk.Do(KeeperOperation.WalkStatistics, isLast ? 1 : 0, out var lost);
        return lost;
    }

    /// <inheritdoc/>
    public void Detach() => desk.Do(KeeperOperation.DetachStatistics);

    /// <inheritdoc/>
    public void Dispose()
    {
        desk.Dispose();
        _ = Descriptor.Close(RingDescriptor);
    }
}

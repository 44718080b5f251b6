using Beyla.Agent.Counting;

namespace Beyla.Agent.Keeper;

/// <summary>Counters of places on the kernel side, which the keeper reads.</summary>
/// <param name="keeper">Is asked.</param>
/// <param name="group">Which places.</param>
public sealed class KernelPlaces(KeeperConnection keeper, CounterGroup group) : ICounted
{
    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => keeper.Count(group);
}

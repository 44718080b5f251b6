using Beyla.Agent.Counting;

namespace Beyla.Agent.Flows;

/// <summary>Puts the counters of the programs and of the reporter together to places whose sums agree.</summary>
internal static class FlowAccounts
{
    /// <summary>Three places: packets and bytes at the interfaces, then flows.</summary>
    internal static IEnumerable<PlaceCounters> Of(FlowCounters kernel, FlowTotals agent)
    {
        yield return Place(
            "interfaces", "packets", kernel.SeenPackets, agent.Packets,
            kernel.FilteredPackets + kernel.OtherPackets + kernel.MalformedPackets, kernel.LostPackets);
        yield return Place(
            "traffic", "bytes", kernel.SeenBytes, agent.Bytes,
            kernel.FilteredBytes + kernel.OtherBytes + kernel.MalformedBytes, kernel.LostBytes);
        yield return new PlaceCounters(
            "flows", "flows", agent.Produced, Emitted: agent.Emitted,
            Aggregated: agent.Aggregated, Filtered: agent.Filtered, Held: agent.Held);
    }

    /// <summary>What is neither in a flow, nor left out, nor lost, is still in the kernel.</summary>
    private static PlaceCounters Place(string place, string unit, ulong seen, long aggregated, ulong filtered, ulong lost) => new(
        place, unit, (long)seen, Aggregated: aggregated, Filtered: (long)filtered, Lost: (long)lost,
        Held: (long)seen - aggregated - (long)filtered - (long)lost);
}

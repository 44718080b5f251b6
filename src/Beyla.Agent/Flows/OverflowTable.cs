using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Flows;

/// <summary>Takes one flow.</summary>
internal delegate void FlowTaker(in FlowKey key, in FlowValue value);

/// <summary>Puts the packets that found no room in the kernel's map together to flows again, until the next drain. One thread.</summary>
internal sealed class OverflowTable : IRingSink
{
    /// <summary>Most flows; what comes beyond is reported packet by packet.</summary>
    internal const int Limit = 16384;

    private readonly Dictionary<FlowKey, FlowValue> flows = [];
    private readonly FlowTaker beyond;

    /// <param name="beyond">Takes what the table has no room for.</param>
    internal OverflowTable(FlowTaker beyond) => this.beyond = beyond;

    /// <summary>Packets that came through the ring.</summary>
    internal long Records { get; private set; }

    /// <summary>Records that became part of another one or of a flow of the map.</summary>
    internal long Merged { get; private set; }

    /// <summary>Flows that are here now.</summary>
    internal int Count => flows.Count;

    /// <summary>The errno of the newest record: why it was not in the map.</summary>
    internal uint Reason { get; private set; }

    /// <inheritdoc/>
    public void OnRecord(ReadOnlySpan<byte> record)
    {
        if (!MemoryMarshal.TryRead(record, out FlowRecord packet))
        {
            return;
        }

        Records++;
        Reason = packet.Value.Reason;
        if (flows.Count >= Limit && !flows.ContainsKey(packet.Key))
        {
            beyond(in packet.Key, in packet.Value);
            return;
        }

        ref var value = ref CollectionsMarshal.GetValueRefOrAddDefault(flows, packet.Key, out var found);
        if (found)
        {
            value.Add(in packet.Value);
            Merged++;
        }
        else
        {
            value = packet.Value;
        }
    }

    /// <summary>Adds what is here for a flow of the map, if anything is.</summary>
    internal void MergeInto(in FlowKey key, ref FlowValue value)
    {
        if (flows.Count > 0 && flows.Remove(key, out var more))
        {
            value.Add(in more);
            Merged++;
        }
    }

    /// <summary>Shows everything that is here.</summary>
    internal void Show(FlowTaker show)
    {
        foreach (var (key, value) in flows)
        {
            show(in key, in value);
        }
    }

    /// <summary>Takes everything that is left.</summary>
    internal void Take(FlowTaker take)
    {
        foreach (var (key, value) in flows)
        {
            take(in key, in value);
        }

        flows.Clear();
    }
}

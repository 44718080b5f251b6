using System.Runtime.InteropServices;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Flows;

/// <summary>
/// The flow programs of one way in, loaded, and their two maps that take turns (bpf/flows.bpf.c). One thread, but for
/// <see cref="Count"/>.
/// </summary>
public sealed class FlowPrograms : IDisposable
{
    /// <summary>Room for two seconds without a processor at thirty thousand new flows per second.</summary>
    private const int SmallestCapacity = 65536;

    private readonly BpfObject programs;
    private readonly BpfMap current;
    private readonly BpfMap[] turns;
    private readonly BpfMap counters;
    private readonly BpfMapBatch<FlowKey, FlowValue> batch;
    private int turn;
    private uint position;

    private unsafe FlowPrograms(BpfObject programs)
    {
        this.programs = programs;
        current = programs.Map("flows");
        turns = [programs.Map("flows_even"), programs.Map("flows_odd")];
        counters = programs.Map("flow_counters");
        batch = new BpfMapBatch<FlowKey, FlowValue>(Exchange.KeyMemory, Exchange.ValueMemory, FlowExchange.Capacity);
    }

    /// <summary>Gets what <see cref="Read"/> reads.</summary>
    public FlowExchange Exchange { get; } = new();

    /// <summary>The ring of packets that found no room.</summary>
    public BpfMap Overflow => programs.Map("flow_overflow");

    /// <summary>Loads exactly what one way in needs.</summary>
    /// <param name="options">Which way, and after how many new flows the agent is woken.</param>
    /// <param name="capacity">Most flows of each map; 0 for what suits the options: the kernel takes memory only for
    /// flows that are there.</param>
    public static FlowPrograms Load(NetworkConfiguration options, int capacity = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CacheMaxFlows, 1);
        var size = (uint)(capacity > 0 ? capacity : Math.Max(options.CacheMaxFlows, SmallestCapacity));
        var programs = BpfObject.Open("flows");
        try
        {
            programs.Map("flows_even").MaxEntries = size;
            programs.Map("flows_odd").MaxEntries = size;
            programs.SetConstants(FlowSettings.From(options));
            _ = options.Source == FlowSource.SocketFilter ? programs.Select("flow_socket") : programs.Select("flow_ingress", "flow_egress");
            return new FlowPrograms(programs.Load());
        }
        catch
        {
            programs.Dispose();
            throw;
        }
    }

    /// <summary>A program by its function name.</summary>
    public BpfProgram Program(string function) => programs.Program(function);

    /// <summary>
    /// Lets the other map count from now on. The kernel ends the swap only when no program holds the old map any more (an update of a map
    /// of maps waits for that), so nothing is missed and nothing counted twice by who then reads the old one.
    /// </summary>
    public void Swap()
    {
        turn ^= 1;
        try
        {
            current.Update(0u, turns[turn].FileDescriptor);
        }
        catch
        {
            turn ^= 1;
            throw;
        }
    }

    /// <summary>Reads the next flows of the map that does not count now to <see cref="Exchange"/>.</summary>
    /// <param name="remove">Takes them out of the map as well.</param>
    /// <param name="first">Begins at the start of the map, otherwise where the last call stopped.</param>
    /// <param name="count">Flows, also when this was the end.</param>
    /// <returns>False when the map has no more.</returns>
    public bool Read(bool remove, bool first, out int count)
    {
        count = 0;
        var more = batch.Next(turns[turn ^ 1], remove, ref position, first);
        count = batch.Count;
        return more;
    }

    /// <summary>What the programs counted so far; a system call.</summary>
    public FlowCounters Count()
    {
        FlowCounters result = default;
        counters.SumPerCpu(0, MemoryMarshal.Cast<FlowCounters, ulong>(MemoryMarshal.CreateSpan(ref result, 1)));
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        programs.Dispose();
        Exchange.Dispose();
    }
}

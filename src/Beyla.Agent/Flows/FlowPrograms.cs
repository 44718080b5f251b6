using System.Runtime.InteropServices;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Flows;

/// <summary>
/// The flow programs of one way in, loaded, and their two maps that take turns (bpf/flows.bpf.c). One thread.
/// </summary>
public sealed class FlowPrograms : IDisposable
{
    /// <summary>Room for two seconds without a processor at thirty thousand new flows per second.</summary>
    private const int SmallestCapacity = 65536;

    private readonly BpfObject programs;
    private readonly BpfMap current;
    private readonly BpfMap[] turns;
    private readonly BpfMap counters;
    private readonly BpfMapBatch<FlowKey, FlowValue> batch = new();
    private int turn;

    private FlowPrograms(BpfObject programs)
    {
        this.programs = programs;
        current = programs.Map("flows");
        turns = [programs.Map("flows_even"), programs.Map("flows_odd")];
        counters = programs.Map("flow_counters");
    }

    /// <summary>Takes the flows of one drain.</summary>
    public delegate void Taker(in FlowKey key, in FlowValue value);

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
    /// Lets the other map count from now on and takes everything out of this one. The kernel ends the swap only when no program holds the
    /// old map any more (an update of a map of maps waits for that), so nothing is missed and nothing counted twice.
    /// </summary>
    /// <param name="prepare">Is shown all flows before the first one is taken.</param>
    /// <param name="take">Takes the flows.</param>
    /// <returns>The number of flows.</returns>
    public long Drain(Taker prepare, Taker take)
    {
        var old = turns[turn];
        turn ^= 1;
        current.Update(0u, turns[turn].FileDescriptor);
        _ = Walk(old, remove: false, prepare);
        return Walk(old, remove: true, take);
    }

    /// <summary>What the programs counted so far; a system call.</summary>
    public FlowCounters Count()
    {
        FlowCounters result = default;
        counters.SumPerCpu(0, MemoryMarshal.Cast<FlowCounters, ulong>(MemoryMarshal.CreateSpan(ref result, 1)));
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => programs.Dispose();

    private long Walk(BpfMap map, bool remove, Taker take)
    {
        var count = 0L;
        uint position = 0;
        bool first = true, more = true;
        while (more)
        {
            more = batch.Next(map, remove, ref position, first);
            first = false;
            var keys = batch.Keys;
            var values = batch.Values;
            for (var i = 0; i < keys.Length; i++)
            {
                take(in keys[i], in values[i]);
            }

            count += keys.Length;
        }

        return count;
    }
}

using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// All that watching flows asks of the side that holds capabilities. Few calls with plain arguments, as each may become a message to
/// another process; what is much lies in <see cref="Exchange"/>. Calls come from one thread, but for <see cref="Count"/>,
/// <see cref="Source"/> and <see cref="InterfaceCount"/>. Disposing it takes everything off the kernel.
/// </summary>
public interface IFlowKernel : IDisposable
{
    /// <summary>Whether flows can name their process. Never changes.</summary>
    bool KnowsProcesses { get; }

    /// <summary>The errno with which the kernel refused what <see cref="KnowsProcesses"/> needs; 0 when it did not.</summary>
    int ProcessRefusal { get; }

    /// <summary>The way in that was taken: <c>socket filter</c>, <c>tcx</c>, <c>tc</c> or <c>tcx and tc</c>. Known after
    /// <see cref="Start"/>, and may change when interfaces come.</summary>
    string Source { get; }

    /// <summary>Interfaces that are observed now.</summary>
    int InterfaceCount { get; }

    /// <summary>The ring of packets that found no room (struct flow_record), to be mapped; readable when the flows are to be
    /// drained.</summary>
    int OverflowDescriptor { get; }

    /// <summary>Bytes of the ring's data.</summary>
    uint OverflowSize { get; }

    /// <summary>Where batches are handed over. Who calls owns it between two calls.</summary>
    FlowExchange Exchange { get; }

    /// <summary>Attaches to the interfaces that are there, and follows them from now on.</summary>
    /// <exception cref="KernelException">An interface cannot be observed; nothing stays attached.</exception>
    void Start();

    /// <summary>Detaches from all interfaces for good; what was counted stays to be read.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    void Detach();

    /// <summary>Lets the other map count from now on. When it returns, nothing is written any more to the one that counted until now,
    /// which is the one to read.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    void Swap();

    /// <summary>Writes the next flows of the map to be read to <see cref="Exchange"/>.</summary>
    /// <param name="remove">Takes them out of the map as well.</param>
    /// <param name="first">Begins at the start of the map, otherwise where the last call stopped.</param>
    /// <param name="count">Flows, also when this was the end; at most <see cref="FlowExchange.Capacity"/>.</param>
    /// <returns>False when the map has no more.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    bool ReadBatch(bool remove, bool first, out int count);

    /// <summary>Writes the owners of the sockets of the first flows of <see cref="Exchange"/> there.</summary>
    /// <param name="count">How many of its keys, with their bytes in <c>Ours</c>, are to be looked at.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    void FindOwners(int count);

    /// <summary>Looks through all open sockets for owners that were not found, unless it did so shortly before.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    void WalkSockets();

    /// <summary>What the programs counted so far. Any thread.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    FlowCounters Count();
}

using Beyla.Agent.Linux;

namespace Beyla.Agent.Statistics;

/// <summary>
/// The half of TCP statistics that needs capabilities, as the one that reads knows it. Members throw <see cref="KernelException"/> where
/// the kernel refuses. One thread.
/// </summary>
public interface ITcpStatisticKernel : IDisposable
{
    /// <summary>The ring of <see cref="TcpStatistic"/>.</summary>
    int RingDescriptor { get; }

    /// <summary>Bytes of its data.</summary>
    uint RingSize { get; }

    /// <summary>Looks at all connections that are open, and puts what is new of each into the ring.</summary>
    /// <param name="isLast">Also where the walk before was not long ago.</param>
    /// <returns>Records for which the ring had no room so far.</returns>
    long Walk(bool isLast);

    /// <summary>No connection is followed any more. What is in the ring can still be read.</summary>
    void Detach();
}

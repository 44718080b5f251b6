using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>A way in for packets: attaches the flow programs to one interface.</summary>
internal interface IFlowWay : IDisposable
{
    /// <summary>What it is, for messages.</summary>
    string Name { get; }

    /// <summary>
    /// Whether several threads may detach at a time, and need no capability for it. Worth it where the kernel waits for all processors at
    /// each one: such waits can be shared.
    /// </summary>
    bool DetachesInParallel { get; }

    /// <summary>Attaches; disposing the result detaches.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    IDisposable Attach(int interfaceIndex);

    /// <summary>Whether what was attached to an interface still is: others may remove classifiers from clsact.</summary>
    bool IsIntact(int interfaceIndex) => true;

    /// <summary>Classifiers of agents that are gone, which this way has no right to remove.</summary>
    IReadOnlyList<TrafficFilter> Leftovers(int interfaceIndex) => [];
}

/// <summary>One packet socket per interface.</summary>
internal sealed class SocketFilterWay(FlowPrograms programs, FlowDirections direction) : IFlowWay
{
    /// <inheritdoc/>
    public string Name => "socket filter";

    private readonly ClsactFilters clsact = new();

    /// <inheritdoc/>
    public bool DetachesInParallel => true;

    /// <inheritdoc/>
    public IDisposable Attach(int interfaceIndex) =>
        PacketSocket.Open(programs.Program("flow_socket"), interfaceIndex, direction == FlowDirections.Ingress);

    /// <inheritdoc/>
    public IReadOnlyList<TrafficFilter> Leftovers(int interfaceIndex) => clsact.Leftovers(interfaceIndex);

    /// <inheritdoc/>
    public void Dispose() => clsact.Dispose();
}

/// <summary>Several attachments that are one.</summary>
internal sealed class Attachments(params IDisposable[] parts) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in parts)
        {
            part.Dispose();
        }
    }
}

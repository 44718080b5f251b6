using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// Tells the kernel side what a connection speaks, where that is something else than it says itself. A verdict may be lost: it is told
/// again when events of the connection go on to disagree.
/// </summary>
public interface IVerdicts
{
    /// <summary>Tells. Called on the tracing thread, perhaps for each event of the connection: cheap.</summary>
    /// <param name="connection">Identity of the connection.</param>
    /// <param name="protocol"><see cref="ProtocolId.Foreign"/> when nothing of it is wanted, <see cref="ProtocolId.None"/> when it was not
    /// what the kernel side took it for and may become something else.</param>
    void Tell(ulong connection, ProtocolId protocol);
}

/// <summary>Nobody is told.</summary>
public sealed class NoVerdicts : IVerdicts
{
    /// <inheritdoc/>
    public void Tell(ulong connection, ProtocolId protocol)
    {
    }
}

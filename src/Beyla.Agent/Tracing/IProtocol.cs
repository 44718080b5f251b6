using Beyla.Agent.Counting;

namespace Beyla.Agent.Tracing;

/// <summary>
/// A protocol that the tracer can follow. Called on the tracing thread, except <see cref="Count"/> and <see cref="CountUnseen"/>.
/// </summary>
public interface IProtocol
{
    /// <summary>Whether an operation with these first bytes may be the start of a request.</summary>
    bool MayStart(ReadOnlySpan<byte> data);

    /// <summary>
    /// Begins to follow a connection. The tracer calls <see cref="Conversation.Release"/> when the conversation is idle or over.
    /// </summary>
    Conversation Open(Connection connection);

    /// <summary>Time passes: report what has timed out, with a bounded amount of work.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    void Tick(long now);

    /// <summary>What became of the protocol's exchanges. Called on any thread.</summary>
    PlaceCounters Count();

    /// <summary>What passed unseen and may have held requests, or null when nothing did. Called on any thread.</summary>
    PlaceCounters? CountUnseen();
}

using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// A protocol that the tracer can follow. Called on the tracing thread, except <see cref="Count"/> and <see cref="CountUnseen"/>.
/// </summary>
public interface IProtocol
{
    /// <summary>How connections are named that speak it.</summary>
    ProtocolId Id { get; }

    /// <summary>
    /// The earliest time at which <see cref="Tick"/> has something to do: CLOCK_MONOTONIC in nanoseconds. Asked after each operation that
    /// the protocol got.
    /// </summary>
    long Due => long.MinValue;

    /// <summary>
    /// Its messages may follow any others: no connection is given up because it was not recognised by what was seen of it so far.
    /// </summary>
    bool FindsLater => false;

    /// <summary>
    /// Whether a connection with these first bytes speaks it. What was sent before an opening that is not fresh is unknown: then only a
    /// form that other data does not have by chance is a yes, since garbage must not become a span.
    /// </summary>
    Confirmation Confirm(in Opening opening);

    /// <summary>
    /// Begins to follow a connection. The tracer calls <see cref="Conversation.Release"/> when the conversation is idle or over.
    /// </summary>
    Conversation Open(Connection connection);

    /// <summary>Time passes: report what has timed out, give back what is not needed any more; with a bounded amount of work.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    void Tick(long now);

    /// <summary>What became of the protocol's exchanges. Called on any thread.</summary>
    PlaceCounters Count();

    /// <summary>What passed unseen and may have held requests, or null when nothing did. Called on any thread.</summary>
    PlaceCounters? CountUnseen();
}

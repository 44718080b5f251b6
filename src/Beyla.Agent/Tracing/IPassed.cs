namespace Beyla.Agent.Tracing;

/// <summary>Knows of bytes that were sent and that no event has told of yet. Called on the tracing thread, often: cheap.</summary>
public interface IPassed
{
    /// <summary>What a connection has sent behind a place of its stream.</summary>
    /// <param name="connection">Its identity.</param>
    /// <param name="known">Sequence number up to which everything is known.</param>
    /// <param name="until">Sequence number behind what was sent.</param>
    /// <param name="time">When the last of it was sent; CLOCK_MONOTONIC in nanoseconds.</param>
    /// <returns>False when there is nothing that follows that place.</returns>
    bool TryRead(ulong connection, uint known, out uint until, out long time);
}

/// <summary>Events tell of everything.</summary>
public sealed class NothingPassed : IPassed
{
    /// <inheritdoc/>
    public bool TryRead(ulong connection, uint known, out uint until, out long time)
    {
        (until, time) = (0, 0);
        return false;
    }
}

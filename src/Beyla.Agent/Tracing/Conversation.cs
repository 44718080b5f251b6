using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tracing;

/// <summary>
/// What a protocol knows of one connection while an exchange is open on it. Held only so long: an idle connection has none.
/// </summary>
public abstract class Conversation
{
    /// <summary>Whether nothing is open, so that the next request can begin with a fresh conversation.</summary>
    public abstract bool IsIdle { get; }

    /// <summary>The next bytes of one direction, in order and without overlap.</summary>
    public abstract void OnData(ref Segment segment);

    /// <summary>Bytes from <paramref name="from"/> to <paramref name="until"/> of one direction passed without an event.</summary>
    /// <param name="direction">Direction of the bytes.</param>
    /// <param name="from">Sequence number of the first missing byte.</param>
    /// <param name="until">Sequence number after the last missing byte.</param>
    /// <param name="time">When this became known.</param>
    public abstract void OnGap(SocketDirection direction, uint from, uint until, long time);

    /// <summary>This side will send no more.</summary>
    public abstract void OnSendShut(long time);

    /// <summary>The connection is gone.</summary>
    public abstract void OnClose(long time);

    /// <summary>The connection was silent for so long that its end must have been missed.</summary>
    public abstract void OnStale();

    /// <summary>The connection is evicted for want of room: what is open is lost.</summary>
    public abstract void OnEvict();

    /// <summary>Memory is tight: what is kept and can be shortened is to be.</summary>
    public virtual void OnPressure()
    {
    }

    /// <summary>No response in time: the span is handed out now; a late response must still find its place.</summary>
    /// <param name="exchange">One of this conversation.</param>
    /// <param name="time">When the time was over; CLOCK_MONOTONIC in nanoseconds.</param>
    public virtual void OnTimeout(Exchange exchange, long time)
    {
    }

    /// <summary>Gives everything back to the pools; the object must not be used again.</summary>
    public abstract void Release();
}

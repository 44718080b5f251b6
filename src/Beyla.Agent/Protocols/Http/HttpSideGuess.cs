using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Guesses which side of a connection asks, until a whole request line settles it, and reads the PROXY header that may stand before that
/// line. It knows what the first bytes of each direction looked like. It never decides where a message ends or what becomes of an
/// exchange.
/// </summary>
internal sealed class HttpSideGuess
{
    private Connection connection = null!;
    private ProxyHeader proxy;

    /// <summary>The direction of the requests: a guess until <see cref="IsSettled"/>.</summary>
    public SocketDirection Requests { get; private set; }

    /// <summary>A request line was seen in this conversation.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>Whether part of a PROXY header was read that the bytes after it need.</summary>
    public bool HoldsProxy => !IsSettled && proxy.IsHeld;

    /// <summary>Whether this connection has spoken HTTP, in this conversation or before it.</summary>
    public bool HasSpoken => connection.RequestDirection is not null;

    /// <summary>Ready for a connection.</summary>
    public void Begin(Connection followed)
    {
        connection = followed;
        IsSettled = false;
        proxy.Begin(followed.RequestDirection is null ? ProxyPart.Signature : ProxyPart.None);
    }

    /// <summary>
    /// Before a segment is read: takes the direction that last looked like a request, and the PROXY header from what it sends.
    /// </summary>
    /// <param name="segment">What belongs to the header is consumed.</param>
    /// <param name="reader">The direction of the requests so far.</param>
    /// <param name="pool">Takes back what the other direction had gathered.</param>
    public void Look(ref Segment segment, ref HttpMessageReader reader, BufferPool pool)
    {
        if (!proxy.IsHeld && (reader.Line.IsEmpty || (segment.Direction != Requests && HttpStartLine.MayBeRequest(segment.Data))))
        {
            reader.Line.Release(pool);
            Requests = connection.RequestDirection ?? segment.Direction;
        }

        if (segment.Direction == Requests && proxy.Part < ProxyPart.Done)
        {
            proxy.Read(ref segment, connection);
            if (proxy.Part == ProxyPart.Broken)
            {
                reader.Lose(pool);
                segment.SkipAll();
            }
        }
    }

    /// <summary>Bytes passed unseen in <paramref name="direction"/>.</summary>
    /// <returns>Whether no request line can have begun in that direction: then nothing is missing.</returns>
    public bool TryMiss(SocketDirection direction, in HttpMessageReader reader)
    {
        if (IsSettled || (direction == Requests && !reader.Line.IsEmpty))
        {
            return false;
        }

        if (direction == Requests && proxy.Part < ProxyPart.Done)
        {
            proxy.Begin(ProxyPart.None);
        }

        return true;
    }

    /// <summary>
    /// Takes a line that is no request for a PROXY header of version 1, which can come only once and before everything else.
    /// </summary>
    /// <returns>Whether it is one.</returns>
    public bool TryNameClient(ReadOnlySpan<byte> line)
    {
        if (IsSettled || HasSpoken || proxy.Part == ProxyPart.Done || !ProxyHeader.TryParseLine(line, out var client, out var port))
        {
            return false;
        }

        proxy.Finish();
        if (client != default)
        {
            connection.NameClient(in client, port);
        }

        return true;
    }

    /// <summary>A request line was seen.</summary>
    public void Settle()
    {
        IsSettled = true;
        connection.RequestDirection = Requests;
    }
}

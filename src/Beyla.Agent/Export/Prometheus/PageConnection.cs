using Beyla.Agent.Linux;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>
/// One connection, which carries one request: it is read, answered, and when the answer is sent the client is given a moment to close, as
/// what it sent and nobody read would make the kernel throw the answer away.
/// </summary>
internal sealed class PageConnection : IDisposable
{
    private const int Moment = 500;

    private readonly TcpSocket socket;
    private readonly PageResponder responder;
    private readonly byte[] request = new byte[RequestHead.Longest];
    private readonly PageBuffer answer = new();
    private int read, sent;
    private State state;

    public PageConnection(TcpSocket socket, PageResponder responder, long deadline) =>
        (this.socket, this.responder, Deadline) = (socket, responder, deadline);

    private enum State : byte
    {
        Reading,
        Answering,
        Closing,
    }

    /// <summary>When it is over at the latest, as <see cref="Environment.TickCount64"/>.</summary>
    public long Deadline { get; private set; }

    /// <summary>What it waits for.</summary>
    public PollDescriptor Wanted =>
        new() { Descriptor = socket.FileDescriptor, Events = state == State.Answering ? Poll.Out : Poll.In };

    /// <summary>Goes on as far as it can.</summary>
    /// <returns>False when it is over.</returns>
    public bool Continue(long now) => state switch
    {
        State.Reading => Read(now),
        State.Answering => Send(now),
        _ => Drain(),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        socket.Dispose();
        answer.Dispose();
    }

    private bool Read(long now)
    {
        var count = socket.Receive(request.AsSpan(read));
        if (count <= 0)
        {
            return count is -Errno.EAGAIN or -Errno.EINTR;
        }

        read += count;
        var end = RequestHead.FindEnd(request.AsSpan(0, read));
        if (end < 0 && read < request.Length)
        {
            return true;
        }

        responder.Answer(end < 0 ? default : request.AsSpan(0, end), answer);
        (state, Deadline) = (State.Answering, now + (long)responder.Options.ResponseTime.TotalMilliseconds);
        return Send(now);
    }

    private bool Send(long now)
    {
        while (sent < answer.Length)
        {
            var count = socket.Send(answer.Written[sent..]);
            if (count < 0)
            {
                return count is -Errno.EAGAIN or -Errno.EINTR;
            }

            sent += count;
        }

        socket.EndSending();
        (state, Deadline) = (State.Closing, now + Moment);
        return true;
    }

    private bool Drain()
    {
        var count = socket.Receive(request);
        return count > 0 || count is -Errno.EAGAIN or -Errno.EINTR;
    }
}

using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>One request and what is known of its answer, from the request line to the span. Objects are used again.</summary>
internal sealed class HttpExchange
{
    private byte[]? text;
    private int methodLength, pathLength, queryLength, hostLength;

    /// <summary>The next request on the same connection.</summary>
    public HttpExchange? Next;

    /// <summary>Neighbours in the order of <see cref="Start"/>, while a time limit runs.</summary>
    public HttpExchange? Earlier, Later;

    /// <summary>A time limit runs: the exchange is in the list of those.</summary>
    public bool IsTimed;

    /// <summary>The conversation, needed when the time limit is over.</summary>
    public HttpConversation? Owner;

    /// <summary>
    /// First byte of the request, end of its head, last byte of the answer that was seen; CLOCK_MONOTONIC in
    /// nanoseconds.
    /// </summary>
    public long Start, HandlerStart, LastSeen;

    /// <summary>The process and the thread that read or wrote the request, in the initial pid namespace.</summary>
    public int Pid, Tid;

    /// <summary>The 0 or 1 of HTTP/1.0 and 1.1, as the request has it.</summary>
    public byte MinorVersion;

    /// <summary>The method is HEAD, whose answer has no body; or CONNECT, behind whose successful answer nothing is HTTP.</summary>
    public bool IsHead, IsConnect;

    /// <summary>Body bytes of the request; -1 when unknown.</summary>
    public long RequestBody;

    /// <summary>Where the direction of the answers stood when this request was seen: its answer cannot begin before.</summary>
    public uint Boundary;

    /// <summary>Status of the answer; 0 as long as there is none.</summary>
    public int Status;

    /// <summary>Bytes of the answer passed unseen.</summary>
    public bool HasGap;

    /// <summary>The answer has begun with a status line that cannot be read: the next answer is that of the next request.</summary>
    public bool IsUnreadable;

    /// <summary>The 100 (Continue) that the client asked for was sent.</summary>
    public bool IsContinued;

    /// <summary>The span was handed out or given up; only the answer must still be passed over.</summary>
    public bool IsReported;

    /// <summary>Requests that followed this one and had no room; their answers have to be passed over.</summary>
    public int Overflow;

    /// <summary>Method token as on the wire.</summary>
    public ReadOnlySpan<byte> Method => text.AsSpan(0, methodLength);

    /// <summary>Path without query as on the wire; empty for CONNECT.</summary>
    public ReadOnlySpan<byte> Path => text.AsSpan(methodLength, pathLength);

    /// <summary>Query without the question mark as on the wire: not redacted.</summary>
    public ReadOnlySpan<byte> Query => text.AsSpan(methodLength + pathLength, queryLength);

    /// <summary>Authority of an absolute target, else the Host header; empty when neither was seen.</summary>
    public ReadOnlySpan<byte> Host => text.AsSpan(methodLength + pathLength + queryLength, hostLength);

    /// <summary>Keeps a copy of the method and the target; once for each use of the object.</summary>
    public void SetTarget(ReadOnlySpan<byte> method, HttpTarget target, BufferPool pool)
    {
        var length = method.Length + target.Path.Length + target.Query.Length;
        var room = Math.Min(BufferPool.MaxSize, length + Math.Max(64, target.Authority.Length));
        text = pool.Rent(room);
        method.CopyTo(text);
        methodLength = method.Length;
        target.Path.CopyTo(text.AsSpan(methodLength));
        pathLength = target.Path.Length;
        target.Query.CopyTo(text.AsSpan(methodLength + pathLength));
        queryLength = target.Query.Length;
        if (!target.Authority.IsEmpty)
        {
            SetHost(target.Authority, pool);
        }
    }

    /// <summary>The first host that is given stays: that of an absolute target goes before the header (RFC 9112 section 3.2.2).</summary>
    public void SetHost(ReadOnlySpan<byte> host, BufferPool pool)
    {
        var before = methodLength + pathLength + queryLength;
        if (hostLength > 0)
        {
            return;
        }

        host = host[..Math.Min(host.Length, BufferPool.MaxSize - before)];
        if (before + host.Length > text!.Length)
        {
            var larger = pool.Rent(before + host.Length);
            text.AsSpan(0, before).CopyTo(larger);
            pool.Return(text);
            text = larger;
        }

        host.CopyTo(text.AsSpan(before));
        hostLength = host.Length;
    }

    /// <summary>Back to the state of a new object.</summary>
    public void Clear(BufferPool pool)
    {
        pool.Return(text);
        text = null;
        methodLength = pathLength = queryLength = hostLength = 0;
        Next = Earlier = Later = null;
        Owner = null;
        Start = HandlerStart = LastSeen = RequestBody = 0;
        Pid = Tid = Status = Overflow = 0;
        MinorVersion = 0;
        Boundary = 0;
        IsTimed = IsHead = IsConnect = HasGap = IsReported = IsUnreadable = IsContinued = false;
    }
}

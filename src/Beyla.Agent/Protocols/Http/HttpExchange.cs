using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>One request and what is known of its response, from the request line to the span.</summary>
internal sealed class HttpExchange : Exchange
{
    /// <summary>
    /// Bytes that are kept where memory is tight: with a method (<see cref="HttpStartLine.MaxMethod"/>) they fit into the smallest buffer.
    /// </summary>
    private const int ShortPath = 96, ShortQuery = 64, ShortHost = 64;

    private int methodLength, pathLength, queryLength, hostLength;

    /// <summary>The 0 or 1 of HTTP/1.0 and 1.1, as the request has it.</summary>
    public byte MinorVersion { get; set; }

    /// <summary>The method is HEAD, whose response has no body.</summary>
    public bool IsHead { get; set; }

    /// <summary>The method is CONNECT, behind whose successful response nothing is HTTP.</summary>
    public bool IsConnect { get; set; }

    /// <summary>Body bytes of the request; -1 when unknown.</summary>
    public long RequestBody { get; set; }

    /// <summary>Where the direction of the responses stood when this request was seen: its response cannot begin before.</summary>
    public uint Boundary { get; set; }

    /// <summary>Status of the response; 0 as long as there is none.</summary>
    public int Status { get; set; }

    /// <summary>The response has begun with a status line that cannot be read: the next one is that of the next request.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>The 100 (Continue) that the client asked for was sent.</summary>
    public bool IsContinued { get; set; }

    /// <summary>The next request on the same connection, or null.</summary>
    public HttpExchange? Following => (HttpExchange?)Next;

    /// <summary>Method token as on the wire.</summary>
    public ReadOnlySpan<byte> Method => Text.Slice(0, methodLength);

    /// <summary>Path without query as on the wire; empty for CONNECT.</summary>
    public ReadOnlySpan<byte> Path => Text.Slice(methodLength, pathLength);

    /// <summary>Query without the question mark as on the wire: not redacted.</summary>
    public ReadOnlySpan<byte> Query => Text.Slice(methodLength + pathLength, queryLength);

    /// <summary>Authority of an absolute target, else the Host header; empty when neither was seen.</summary>
    public ReadOnlySpan<byte> Host => Text.Slice(methodLength + pathLength + queryLength, hostLength);

    /// <summary>Keeps a copy of the method and the target; once for each use of the object.</summary>
    public void SetTarget(ReadOnlySpan<byte> method, HttpTarget target, BufferPool buffers)
    {
        if (!buffers.IsTight)
        {
            Text.Reserve(method.Length + target.Path.Length + target.Query.Length + Math.Max(64, target.Authority.Length), buffers);
        }

        methodLength = Text.Append(method, buffers);
        pathLength = Text.AppendShown(target.Path, buffers.Most(ShortPath), buffers);
        queryLength = Text.AppendShown(target.Query, buffers.Most(ShortQuery), buffers);
        if (!target.Authority.IsEmpty)
        {
            SetHost(target.Authority, buffers);
        }
    }

    /// <summary>The first host that is given stays: that of an absolute target goes before the header (RFC 9112 section 3.2.2).</summary>
    public void SetHost(ReadOnlySpan<byte> host, BufferPool buffers)
    {
        if (hostLength == 0)
        {
            hostLength = Text.AppendShown(host, buffers.Most(ShortHost), buffers);
        }
    }

    /// <summary>Memory is tight: of long texts only the beginning is kept.</summary>
    public void Shorten(BufferPool buffers)
    {
        if (pathLength <= ShortPath && queryLength <= ShortQuery && hostLength <= ShortHost)
        {
            return;
        }

        var old = Text;
        Text = default;
        var (method, path, query) = (methodLength, pathLength, queryLength);
        _ = Text.Append(old.Slice(0, method), buffers);
        pathLength = Text.AppendShown(old.Slice(method, path), ShortPath, buffers);
        queryLength = Text.AppendShown(old.Slice(method + path, query), ShortQuery, buffers);
        hostLength = Text.AppendShown(old.Slice(method + path + query, hostLength), ShortHost, buffers);
        old.Release(buffers);
    }

    /// <summary>Ready for the response of a request that had no room: nothing of it is known.</summary>
    public void ForgetResponse()
    {
        Status = 0;
        HasGap = IsUnreadable = IsContinued = false;
    }

    /// <inheritdoc/>
    public override void Clear(BufferPool buffers)
    {
        base.Clear(buffers);
        methodLength = pathLength = queryLength = hostLength = 0;
        MinorVersion = 0;
        Boundary = 0;
        RequestBody = Status = 0;
        IsHead = IsConnect = IsUnreadable = IsContinued = false;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>One request and what is known of its response, from the request line to the span.</summary>
internal sealed class HttpExchange : Exchange
{
    /// <summary>
    /// Bytes that are kept where memory is tight: with a method (<see cref="HttpStartLine.MaxMethod"/>) they fit into the smallest buffer.
    /// </summary>
    private const int ShortPath = 96, ShortQuery = 64, ShortHost = 64;

    /// <summary>Bytes that a Host header usually takes.</summary>
    private const int RoomForHost = 64;

    /// <summary>Bytes of a tracestate that have to be kept (W3C Trace Context level 2 section 3.3.1.5), and no more.</summary>
    private const int MaxTraceState = 512;

    /// <summary>Longest method and target that are kept in one piece, as they came.</summary>
    private const int MaxWhole = BufferPool.MaxSize / 2;

    // Where the texts are: behind one another, or with the bytes between them of the line that they come from.
    private int methodLength, pathStart, pathLength, queryStart, queryLength, hostStart, hostLength, stateStart, stateLength;

    private TraceContext header;
    private bool hasTraceParent;

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
    public ReadOnlySpan<byte> Path => Text.Slice(pathStart, pathLength);

    /// <summary>Query without the question mark as on the wire: not redacted.</summary>
    public ReadOnlySpan<byte> Query => Text.Slice(queryStart, queryLength);

    /// <summary>Authority of an absolute target, else the Host header; empty when neither was seen.</summary>
    public ReadOnlySpan<byte> Host => Text.Slice(hostStart, hostLength);

    /// <summary>The trace that the request names, or none (W3C Trace Context level 2 section 3.2).</summary>
    public ref readonly TraceContext Header => ref header;

    /// <summary>Adds the texts to a span that is made while they are here.</summary>
    /// <param name="values">Where to.</param>
    /// <param name="isKnown">The method may be the name of the span.</param>
    public void Describe(SpanValues values, bool isKnown)
    {
        values.Share(Text.Buffer);
        if (isKnown)
        {
            values.AddShared(SpanAttribute.Name, 0, methodLength);
        }

        values.AddShared(SpanAttribute.HttpRequestMethod, 0, methodLength);
        values.AddShared(SpanAttribute.UrlPath, pathStart, pathLength);
        values.AddShared(SpanAttribute.UrlQuery, queryStart, queryLength);
        values.AddShared(SpanAttribute.HttpRequestHeaderHost, hostStart, hostLength);
        if (header.HasTrace)
        {
            values.AddShared(SpanAttribute.TraceState, stateStart, stateLength);
        }
    }

    /// <summary>Keeps a copy of the method and the target; once for each use of the object.</summary>
    public void SetTarget(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, BufferPool buffers)
    {
        if (target[0] == '/' && !IsConnect && !buffers.IsTight && method.Length + 1 + target.Length <= MaxWhole
            && Unsafe.ByteOffset(in method[0], in target[0]) == method.Length + 1)
        {
            var whole = MemoryMarshal.CreateReadOnlySpan(in method[0], method.Length + 1 + target.Length);
            Text.Reserve(whole.Length + RoomForHost, buffers);
            _ = Text.Append(whole, buffers);
            var mark = target.IndexOf((byte)'?');
            (methodLength, pathStart, pathLength) = (method.Length, method.Length + 1, mark < 0 ? target.Length : mark);
            (queryStart, queryLength) = mark < 0 ? (0, 0) : (pathStart + mark + 1, target.Length - mark - 1);
            return;
        }

        SetTarget(method, new HttpTarget(target, IsConnect), buffers);
    }

    /// <summary>The first host that is given stays: that of an absolute target goes before the header (RFC 9112 section 3.2.2).</summary>
    public void SetHost(ReadOnlySpan<byte> host, BufferPool buffers)
    {
        if (hostLength == 0)
        {
            hostStart = Text.Length;
            hostLength = Text.AppendShown(host, buffers.Most(ShortHost), buffers);
        }
    }

    /// <summary>Takes the value of a traceparent field. Of several it is not known which is meant: then none is.</summary>
    public void SetTraceParent(ReadOnlySpan<byte> value)
    {
        if (hasTraceParent || !TraceParent.TryParse(value, out header))
        {
            header = default;
        }

        hasTraceParent = true;
    }

    /// <summary>
    /// Takes the value of a tracestate field, which is a list and may come in several (W3C Trace Context level 2 section 3.3.1). Of more
    /// than 512 bytes the last members are left out (section 3.3.1.5).
    /// </summary>
    public void AddTraceState(ReadOnlySpan<byte> value, BufferPool buffers)
    {
        var room = MaxTraceState - (stateLength == 0 ? 0 : stateLength + 1);
        if (value.Length > room)
        {
            var cut = room <= 0 ? -1 : value[..room].LastIndexOf((byte)',');
            value = cut <= 0 ? default : value[..cut];
        }

        if (value.IsEmpty || buffers.IsTight)
        {
            return;
        }

        Text.Reserve(MaxTraceState, buffers);
        var start = Text.Length;
        if (stateLength > 0)
        {
            _ = Text.Append(Text.Slice(stateStart, stateLength), buffers);
            _ = Text.Append(","u8, buffers);
        }

        _ = Text.Append(value, buffers);
        (stateStart, stateLength) = (start, Text.Length - start);
    }

    /// <summary>Memory is tight: of long texts only the beginning is kept.</summary>
    public void Shorten(BufferPool buffers)
    {
        if (pathLength <= ShortPath && queryLength <= ShortQuery && hostLength <= ShortHost && stateLength == 0)
        {
            return;
        }

        var old = Text;
        Text = default;
        var path = old.Slice(pathStart, pathLength);
        var query = old.Slice(queryStart, queryLength);
        Keep(old.Slice(0, methodLength), path, ShortPath, query, ShortQuery, buffers);
        var host = old.Slice(hostStart, hostLength);
        hostStart = Text.Length;
        hostLength = Text.AppendShown(host, ShortHost, buffers);
        stateStart = stateLength = 0;
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
        methodLength = pathStart = pathLength = queryStart = queryLength = hostStart = hostLength = stateStart = stateLength = 0;
        header = default;
        hasTraceParent = false;
        MinorVersion = 0;
        Boundary = 0;
        RequestBody = Status = 0;
        IsHead = IsConnect = IsUnreadable = IsContinued = false;
    }

    private void SetTarget(ReadOnlySpan<byte> method, HttpTarget target, BufferPool buffers)
    {
        if (!buffers.IsTight)
        {
            Text.Reserve(
                method.Length + target.Path.Length + target.Query.Length + Math.Max(RoomForHost, target.Authority.Length), buffers);
        }

        Keep(method, target.Path, buffers.Most(ShortPath), target.Query, buffers.Most(ShortQuery), buffers);
        if (!target.Authority.IsEmpty)
        {
            SetHost(target.Authority, buffers);
        }
    }

    private void Keep(
        ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, int mostPath, ReadOnlySpan<byte> query, int mostQuery, BufferPool buffers)
    {
        methodLength = Text.Append(method, buffers);
        pathStart = Text.Length;
        pathLength = Text.AppendShown(path, mostPath, buffers);
        queryStart = Text.Length;
        queryLength = Text.AppendShown(query, mostQuery, buffers);
    }
}

using System.Runtime.CompilerServices;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>Where one direction stands.</summary>
internal enum HttpPhase : byte
{
    /// <summary>Before or in a start line.</summary>
    Start = 0,

    /// <summary>In the header fields.</summary>
    Head,

    /// <summary>In a body of known length.</summary>
    Length,

    /// <summary>In a body of the chunked coding, or in its trailer.</summary>
    Chunked,

    /// <summary>In a body that ends with the connection.</summary>
    UntilClose,

    /// <summary>In bytes whose end cannot be told: until an operation that begins like a message.</summary>
    Lost,
}

/// <summary>
/// The framing of one direction: takes segments apart into start line, fields, end of the head and end of the body (RFC 9112). It knows
/// where a message begins and ends as long as its framing tells. It never decides whether a line is HTTP, what to do where bytes are
/// missing, or what becomes of an exchange: its caller sets <see cref="Phase"/> for that.
/// </summary>
internal struct HttpMessageReader
{
    /// <summary>Where the direction stands. The caller sets it where framing alone does not tell.</summary>
    public HttpPhase Phase;

    /// <summary>The line that is being read: start line or field.</summary>
    public HttpLineReader Line;

    /// <summary>What the head that is being read, or was read last, says of its body.</summary>
    public HttpFields Fields;

    /// <summary>The body that is being read, or was read last.</summary>
    public HttpBodyReader Body;

    /// <summary>Whether the end of the message can no longer be told by its framing.</summary>
    public readonly bool IsLost => Phase == HttpPhase.Lost || (Phase == HttpPhase.Chunked && !Body.IsFramed);

    /// <summary>Whether the next byte that is no empty line begins a message.</summary>
    public readonly bool IsBetween => Phase == HttpPhase.Start && Line.IsEmpty;

    /// <summary>The next token.</summary>
    /// <param name="segment">What belongs to the token is consumed; not empty.</param>
    /// <param name="pool">Where buffers for lines come from.</param>
    /// <param name="text">A start line or the value of a field; valid until the next call.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public HttpToken Read(scoped ref Segment segment, BufferPool pool, out ReadOnlySpan<byte> text)
    {
        switch (Phase)
        {
            case HttpPhase.Start:
                return ReadStartLine(ref segment, pool, out text);
            case HttpPhase.Head:
                return ReadHead(ref segment, pool, out text);
            default:
                text = default;
                return Body.Read(Phase, ref segment) ? HttpToken.BodyEnd : HttpToken.None;
        }
    }

    /// <summary>After the head of a request (RFC 9112 section 6.3: one without length has no body).</summary>
    /// <returns>Whether it is complete with its head.</returns>
    public bool BeginRequestBody()
    {
        switch (Fields.Framing)
        {
            case HttpFraming.Chunked:
                BeginBody(HttpPhase.Chunked);
                return false;
            case HttpFraming.None or HttpFraming.Length:
                var length = Fields.Framing == HttpFraming.None ? 0 : Fields.Length;
                BeginBody(HttpPhase.Length, length);
                return length == 0;
            default:
                Lose();
                return false;
        }
    }

    /// <summary>
    /// After the head of a final answer (RFC 9112 section 6.3: one without length goes on until the connection is closed).
    /// </summary>
    /// <param name="hasBody">False after HEAD and with a status that allows none, whatever the fields say.</param>
    /// <returns>Whether it is complete with its head.</returns>
    public bool BeginResponseBody(bool hasBody)
    {
        switch (hasBody ? Fields.Framing : HttpFraming.Length)
        {
            case HttpFraming.Length:
                var length = hasBody ? Fields.Length : 0;
                BeginBody(HttpPhase.Length, length);
                return length == 0;
            case HttpFraming.Chunked:
                BeginBody(HttpPhase.Chunked);
                return false;
            case HttpFraming.Conflict:
                BeginBody(HttpPhase.Lost);
                return false;
            default:
                BeginBody(HttpPhase.UntilClose);
                return false;
        }
    }

    /// <summary>The message can no longer be followed.</summary>
    public void Lose(BufferPool pool)
    {
        Line.Release(pool);
        Lose();
    }

    /// <summary>Ready for the next message; a rented buffer stays for it.</summary>
    public void Next()
    {
        var line = Line;
        this = default;
        Line = line;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private HttpToken ReadStartLine(scoped ref Segment segment, BufferPool pool, out ReadOnlySpan<byte> text)
    {
        if (Line.IsEmpty)
        {
            var start = segment.Data.IndexOfAnyExcept("\r\n"u8);
            segment.Skip(start < 0 ? segment.Data.Length : start);
            if (segment.Left == 0)
            {
                text = default;
                return HttpToken.None;
            }
        }

        if (Line.TryRead(ref segment, pool, out text, out var cut))
        {
            return cut ? HttpToken.LongStartLine : HttpToken.StartLine;
        }

        return segment.Left > 0 && segment.Data.IsEmpty ? HttpToken.CutStartLine : HttpToken.PartOfStartLine;
    }

    /// <summary>Goes on over fields that say nothing to the caller.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private HttpToken ReadHead(scoped ref Segment segment, BufferPool pool, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (segment.Data.IsEmpty)
        {
            Line.Release(pool);
            return HttpToken.HeadCut;
        }

        while (!segment.Data.IsEmpty && Line.TryRead(ref segment, pool, out var line, out _))
        {
            if (line.IsEmpty)
            {
                Line.Release(pool);
                return HttpToken.HeadEnd;
            }

            var token = Fields.Add(line, out var value) switch
            {
                HttpField.Host => HttpToken.Host,
                HttpField.TraceParent => HttpToken.TraceParent,
                HttpField.TraceState => HttpToken.TraceState,
                _ => HttpToken.None,
            };
            if (token != HttpToken.None && !value.IsEmpty)
            {
                text = value;
                return token;
            }
        }

        return HttpToken.None;
    }

    private void BeginBody(HttpPhase phase, long length = 0)
    {
        Phase = phase;
        Body.Begin(phase, length);
    }

    private void Lose()
    {
        Phase = HttpPhase.Lost;
        Body.Lose();
    }
}

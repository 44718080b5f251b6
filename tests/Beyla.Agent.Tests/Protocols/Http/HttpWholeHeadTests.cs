using System.Text;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>
/// The short ways for heads that are whole and have the plain form say what the long ways say, which take any head: of known heads, and of
/// half a million that were changed at random.
/// </summary>
public sealed class HttpWholeHeadTests
{
    private static readonly string[] Heads =
    [
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\n\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.0 404 Not Found\r\n\r\n",
        "GET /a?b=c HTTP/1.1\r\nHost: h\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
        "POST /x HTTP/1.1\r\nhost:\t h.example \r\nCONTENT-LENGTH: 12\r\nExpect: 100-continue\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Thu, 26 Nov 2026 10:00:00 GMT\r\nContent-Type: text/plain\r\n"
            + "Content-Length: 800\r\nLast-Modified: Thu, 26 Nov 2026 10:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"1-2\"\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\ncache-control: no-cache\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "PUT /x HTTP/1.1\r\nContent-Length: 5\r\n, 5\r\n \t\r\nX: y\r\n folded\r\nHost:\r\nHost: second\r\nHost: third\r\n\r\nhello",
        "GET /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nContentXLength: 4\r\nContent-Lengths: 3\r\n\r\n",
        "GET /x HTTP/1.1\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nH:\nT:\nE:\nC:\nTransfer-Encoding: chunked\n\nx",
    ];

    private static readonly byte[][] Fragments =
    [
        "\r\n"u8.ToArray(), "\n"u8.ToArray(), "\r"u8.ToArray(), "\r\n\r\n"u8.ToArray(), "\r\n "u8.ToArray(), ":"u8.ToArray(),
        "\r\nHost: x"u8.ToArray(), "\r\nContent-Length: 3"u8.ToArray(), "\r\nc"u8.ToArray(), "\nContent-Length: 1,1"u8.ToArray(),
        "\r\nTransfer-Encoding: chunked"u8.ToArray(), " HTTP/1.1"u8.ToArray(), "HTTP/1.0 "u8.ToArray(), " "u8.ToArray(), "\x7f"u8.ToArray(),
        "\r\nExpect: 100-continue"u8.ToArray(),
    ];

    private readonly BufferPool pool = new();

    [Fact]
    public void KnownHeadsAreWhole()
    {
        foreach (var text in Heads)
        {
            var data = Encoding.Latin1.GetBytes(text);
            Assert.True(HttpWholeHead.TryRead(data, out var head), text);
            Assert.Equal(EndOf(text), head.Length);
            Assert.Equal(text[..text.IndexOf('\n')].TrimEnd('\r'), Encoding.Latin1.GetString(head.StartLine));
            Compare(data);
            for (var cut = 0; cut < head.Length; cut++)
            {
                Assert.False(HttpWholeHead.TryRead(data.AsSpan(0, cut), out _), text[..cut]);
            }
        }
    }

    [Fact]
    public void WhatTheFieldsSay()
    {
        Assert.True(HttpWholeHead.TryRead(Encoding.Latin1.GetBytes(Heads[5]), out var post));
        Assert.Equal("h.example", Encoding.Latin1.GetString(post.Host));
        Assert.Equal((HttpFraming.Length, 12L, true), (post.Fields.Framing, post.Fields.Length, post.Fields.ExpectsContinue));
        Assert.True(HttpWholeHead.TryRead(Encoding.Latin1.GetBytes(Heads[7]), out var chunked));
        Assert.Equal(HttpFraming.Chunked, chunked.Fields.Framing);
        Assert.True(HttpWholeHead.TryRead(Encoding.Latin1.GetBytes(Heads[8]), out var folded));
        Assert.Equal("second", Encoding.Latin1.GetString(folded.Host));
        Assert.Equal((HttpFraming.Length, 5L), (folded.Fields.Framing, folded.Fields.Length));
        Assert.True(HttpWholeHead.TryRead(Encoding.Latin1.GetBytes(Heads[9]), out var twice));
        Assert.Equal(HttpFraming.Conflict, twice.Fields.Framing);
    }

    [Fact]
    public void ChangedHeads()
    {
        var random = new Random(20261127);
        var buffer = new byte[1024];
        var whole = 0;
        for (var i = 0; i < 500_000; i++)
        {
            var head = Encoding.Latin1.GetBytes(Heads[random.Next(Heads.Length)], buffer);
            whole += Compare(buffer.AsSpan(0, Mutations.Apply(buffer, head, Fragments, random))) ? 1 : 0;
        }

        Assert.InRange(whole, 50_000, 450_000);
    }

    /// <summary>Both ways over the same bytes.</summary>
    /// <returns>Whether the head is whole.</returns>
    private bool Compare(ReadOnlySpan<byte> data)
    {
        var shown = Encoding.Latin1.GetString(data);
        var whole = HttpWholeHead.TryRead(data, out var head);
        if (!whole)
        {
            return false;
        }

        var reader = default(HttpMessageReader);
        var segment = new Segment { Data = data };
        Assert.True(HttpToken.StartLine == reader.Read(ref segment, pool, out var line), shown);
        Assert.True(line.SequenceEqual(head.StartLine), shown);
        CompareLine(line);
        reader.Phase = HttpPhase.Head;
        ReadOnlySpan<byte> host = default;
        HttpToken token;
        while ((token = reader.Read(ref segment, pool, out var value)) == HttpToken.Host)
        {
            host = host.IsEmpty ? value : host;
        }

        Assert.True(token == HttpToken.HeadEnd, shown);
        Assert.True(host.SequenceEqual(head.Host), shown);
        Assert.True(head.Length == data.Length - segment.Left, shown);
        Assert.True(
            (reader.Fields.Framing, reader.Fields.Length, reader.Fields.ExpectsContinue)
                == (head.Fields.Framing, head.Fields.Length, head.Fields.ExpectsContinue),
            shown);
        return true;
    }

    /// <summary>A blank before a line changes nothing of what it says, but takes the plain form away.</summary>
    private static void CompareLine(ReadOnlySpan<byte> line)
    {
        var shown = Encoding.Latin1.GetString(line);
        byte[] blank = [(byte)' ', .. line];
        var isPlain = HttpStartLine.TryParsePlain(line, out var method, out var target, out var minor);
        var isRequest = HttpStartLine.TryParseRequest(blank, false, out var longMethod, out var longTarget, out var longMinor);
        Assert.True(isRequest || !isPlain, shown);
        Assert.True(!isPlain || (method.SequenceEqual(longMethod) && target.SequenceEqual(longTarget) && minor == longMinor), shown);
        Assert.Equal(isRequest, HttpStartLine.TryParseRequest(line, false, out _, out _, out _));
        Assert.Equal(HttpStartLine.MayBeRequest(blank), HttpStartLine.MayBeRequest(line));
        Assert.Equal(HttpStartLine.MayBeResponse(blank), HttpStartLine.MayBeResponse(line));
        Assert.Equal(HttpStartLine.TryParseStatus(blank, out var longStatus), HttpStartLine.TryParseStatus(line, out var status));
        Assert.Equal(longStatus, status);
    }

    private static int EndOf(string text)
    {
        var ends = new[] { text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4, text.IndexOf("\n\n", StringComparison.Ordinal) + 2 };
        return ends.Where(end => end > 4).Min();
    }
}

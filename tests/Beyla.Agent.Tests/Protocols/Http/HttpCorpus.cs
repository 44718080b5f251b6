using System.Text;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>What is done on a connection: '&lt;' the traced process receives, '&gt;' it sends, '!' it shuts its direction down, '#' it closes.</summary>
internal readonly record struct Step(char Kind, byte[] Data);

/// <summary>Operations of one connection and the spans that they must give however they are cut.</summary>
internal sealed record HttpCase(string Name, Step[] Steps, string[] Spans)
{
    public override string ToString() => Name;
}

/// <summary>Exchanges of every kind that the issue names.</summary>
internal static class HttpCorpus
{
    private static readonly string LongPath = "/" + new string('p', 3000);
    private static readonly string Cookies = string.Concat(Enumerable.Range(0, 400).Select(i => $"Cookie: name{i}=abcdefghijklmnopqrstuvwxyz0123456789\r\n"));

    public static IReadOnlyList<HttpCase> All { get; } =
    [
        New("plain", ["<GET / HTTP/1.1\r\nHost: a\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"], "Server Complete GET / host=a 1.1 200 0/5"),
        New("client", [">GET /q?x=1&y=/?z HTTP/1.1\r\nHost: a:81\r\n\r\n", "<HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"],
            "Client Complete GET /q?x=1&y=/?z host=a:81 1.1 404 0/2"),
        New("post", ["<POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", ">HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"],
            "Server Complete POST /p host=a 1.1 201 4/0"),
        New("no reason, odd case, spaces", ["<GET /x HTTP/1.1\r\nhOsT:  a  \r\nconTENT-length:0\r\n\r\n", ">HTTP/1.1 200\r\nCONTENT-LENGTH:\t3 \r\n\r\nabc"],
            "Server Complete GET /x host=a 1.1 200 0/3"),
        New("keep-alive", ["<GET /1 HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "<GET /2 HTTP/1.1\r\n\r\n",
            ">HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nbb"], "Server Complete GET /1 host= 1.1 200 0/1", "Server Complete GET /2 host= 1.1 500 0/2"),
        New("pipelined", ["<GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n\r\n",
            ">HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
            "Server Complete GET /1 host= 1.1 200 0/1", "Server Complete POST /2 host= 1.1 204 3/0", "Server Complete GET /3 host= 1.1 200 0/3"),
        New("pipelined, answered apart", [">GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
            ">GET /3 HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 N\r\nContent-Length: 7\r\n\r\n"],
            "Client Complete GET /1 host= 1.1 200 0/1", "Client Complete HEAD /2 host= 1.1 200 0/0", "Client Complete GET /3 host= 1.1 304 0/0"),
        New("chunked both ways", ["<PUT /c HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n4;name=\"v\"\r\nwiki\r\n00A\r\n0123456789\r\n0;last\r\nTrailer: x\r\nOther: y\r\n\r\n",
            ">HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", ">a \r\n0123456789\r\n", ">0\r\n", ">\r\n"],
            "Server Complete PUT /c host= 1.1 200 14/11"),
        New("chunked, bare LF", ["<GET /c HTTP/1.1\n\n", ">HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nab\n0\n\n"], "Server Complete GET /c host= 1.1 200 0/2"),
        New("transfer-encoding wins", ["<POST /t HTTP/1.1\r\nContent-Length: 400\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            ">HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", "<GET /n HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete POST /t host= 1.1 200 1/0", "Server Complete GET /n host= 1.1 204 0/0"),
        New("until close by shut", ["<GET /u HTTP/1.0\r\n\r\n", ">HTTP/1.0 200 OK\r\n\r\nsome", ">thing", "!"], "Server Complete GET /u host= 1.0 200 0/9"),
        New("until close by close", [">GET /u HTTP/1.0\r\n\r\n", "<HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsomething", "#"], "Client Complete GET /u host= 1.0 200 0/9"),
        New("head and no content", ["<HEAD /h HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "<GET /n HTTP/1.1\r\n\r\n",
            ">HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"], "Server Complete HEAD /h host= 1.1 200 0/0", "Server Complete GET /n host= 1.1 304 0/0"),
        New("100-continue", ["<POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", ">HTTP/1.1 100 Continue\r\n\r\n", "<abc",
            ">HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"], "Server Complete POST /e host= 1.1 200 3/1"),
        New("refused expectation, body never sent", ["<POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 300\r\n\r\n",
            ">HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"], "Server Complete POST /e host= 1.1 417 0/0"),
        New("websocket", ["<GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", ">HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello",
            "<\x81\x85abcdefg", "<GET /no HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], "Server Upgraded GET /ws host= 1.1 101 0/0"),
        New("connect", [">CONNECT db.example:443 HTTP/1.1\r\nHost: proxy\r\n\r\n", "<HTTP/1.1 200 Connection established\r\n\r\n", ">\x16\x03\x01\x02garbage"],
            "Client Upgraded CONNECT  host=db.example:443 1.1 200 0/0"),
        New("connect refused", [">CONNECT db.example:443 HTTP/1.1\r\n\r\n", "<HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nbad"], "Client Complete CONNECT  host=db.example:443 1.1 403 0/3"),
        New("early answer", ["<POST /big HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc", ">HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", "<defghij",
            "<GET /next HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
            "Server Complete POST /big host= 1.1 413 3/0", "Server Complete GET /next host= 1.1 200 0/0"),
        New("answer before the head is complete", ["<GET /h HTTP/1.1\r\nHost: a\r\nX: ", ">HTTP/1.1 431 Big\r\nContent-Length: 0\r\n\r\n"], "Server Complete GET /h host=a 1.1 431 -1/0"),
        New("closed before the answer", ["<GET /gone HTTP/1.1\r\n\r\n", "#"], "Server Closed GET /gone host= 1.1 0 0/-1"),
        New("closed in the head of the answer", ["<GET /gone HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-", "#"], "Server Closed GET /gone host= 1.1 200 0/-1"),
        New("closed in the answer", ["<GET /part HTTP/1.1\r\n\r\nGET /two HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "#"],
            "Server Closed GET /part host= 1.1 200 0/4", "Server Closed GET /two host= 1.1 0 0/-1"),
        New("closed in chunks", ["<GET /part HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "!", "#"], "Server Closed GET /part host= 1.1 200 0/4"),
        New("closed in the request", ["<POST /part HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf", "#"], "Server Closed POST /part host= 1.1 0 4/-1"),
        New("absolute form", [">GET http://user:secret@web.example:80/a/b?c=d HTTP/1.1\r\nHost: other\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            ">GET http://web.example?q HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ">GET https://web.example HTTP/1.1\r\n\r\n",
            "<HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], "Client Complete GET /a/b?c=d host=web.example:80 1.1 200 0/0",
            "Client Complete GET /?q host=web.example 1.1 200 0/0", "Client Complete GET / host=web.example 1.1 200 0/0"),
        New("options asterisk", ["<OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ">HTTP/1.1 204 No\r\n\r\n"], "Server Complete OPTIONS * host=a 1.1 204 0/0"),
        New("extension method", ["<PROPFIND /dav HTTP/1.1\r\n\r\n", ">HTTP/1.1 207 Multi\r\nContent-Length: 1\r\n\r\nx", "<M-SEARCH /s HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete PROPFIND /dav host= 1.1 207 0/1", "Server Complete M-SEARCH /s host= 1.1 204 0/0"),
        New("leading empty lines, bare LF", ["<\r\n\r\nGET /l HTTP/1.1\nHost: a\n\n", ">HTTP/1.1 200 OK\nContent-Length: 1\n\nx", "<\n\r\nGET /m HTTP/1.0\n\n", ">HTTP/1.0 204 N\n\n"],
            "Server Complete GET /l host=a 1.1 200 0/1", "Server Complete GET /m host= 1.0 204 0/0"),
        New("folded fields", ["<POST /f HTTP/1.1\r\nHost:\r\n a\r\nX-Y: 1\r\n Content-Length: 9\r\nContent-Length:\r\n\t2\r\n\r\nab",
            ">HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n chunked\r\n\r\n0\r\n\r\n"], "Server Complete POST /f host=a 1.1 200 2/0"),
        New("equal lengths", ["<POST /l HTTP/1.1\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nab", ">HTTP/1.1 204 No\r\n\r\n"], "Server Complete POST /l host= 1.1 204 2/0"),
        New("conflicting lengths", ["<POST /l HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab", ">HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: x\r\n\r\nabcd",
            "<GET /m HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
            "Server Unfinished POST /l host= 1.1 200 -1/4", "Server Complete GET /m host= 1.1 200 0/0"),
        New("other coding", ["<GET /z HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzipzip", "!"], "Server Complete GET /z host= 1.1 200 0/6"),
        New("long path", ["<GET " + LongPath + "?q HTTP/1.1\r\nHost: " + new string('h', 300) + "\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
            "Server Complete GET " + LongPath + "?q host=" + new string('h', 300) + " 1.1 200 0/0"),
        New("only an answer", [">HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"]),
        New("seen from the middle", [">\r\nend of a body", "<GET /seen HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"], "Server Complete GET /seen host= 1.1 204 0/0"),
        New("redis inline", ["<GET foo\r\n", ">$3\r\nbar\r\n", "<GET foo\r\n", "#"]),
        New("lower case version", ["<GET / http/1.1\r\n\r\n", ">HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"]),
        New("another version", ["<PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<OPTIONS rtsp://a RTSP/1.0\r\n\r\n"]),
        New("method without path in lower case", ["<get key HTTP/1.1\r\n\r\n", ">HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"]),
        New("method too long", ["<" + new string('M', 33) + " / HTTP/1.1\r\n\r\n"]),
        New("tls", ["<\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", ">\x16\x03\x03\0\x7a", "#"]),
        New("answer is no HTTP", ["<GET /09 HTTP/1.0\r\n\r\n", ">SSH-2.0-x\r\n", "#"], "Server Closed GET /09 host= 1.0 0 0/-1"),
        New("answer after the close of the other side", [">GET /u HTTP/1.0\r\n\r\n", "!", "<HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"], "Client Complete GET /u host= 1.0 200 0/2"),
        New("body that holds a request after an early answer", ["<POST /a HTTP/1.1\r\nContent-Length: 43\r\n\r\n", ">HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
            "<GET /forged HTTP/1.1\r\n\r\nPUT /b HTTP/1.1\r\n\r\n", "<GET /real HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete POST /a host= 1.1 405 0/0", "Server Complete GET /real host= 1.1 204 0/0"),
        New("chunks that hold a request after an early answer", ["<POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", ">HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
            "<18\r\n", "<GET /forged HTTP/1.1\r\n\r\n", "<\r\n0\r\n\r\n", "<GET /real HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete POST /a host= 1.1 405 0/0", "Server Complete GET /real host= 1.1 204 0/0"),
        New("refused expectation, then the next request", ["<POST /e HTTP/1.1\r\nexpect:100-Continue\r\nContent-Length: 300\r\n\r\n",
            ">HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", "<GET /next HTTP/1.1\r\nHost: a\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete POST /e host= 1.1 417 0/0", "Server Complete GET /next host=a 1.1 204 0/0"),
        New("refused expectation, chunks or the next request", ["<POST /e HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
            ">HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", "<ADD /next HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete POST /e host= 1.1 417 0/0", "Server Complete ADD /next host= 1.1 204 0/0"),
        New("refused expectation, body sent all the same", ["<POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 24\r\n\r\n",
            ">HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", "<GE, body GET / HTTP/1.1\n", "<GET /real HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete POST /e host= 1.1 417 0/0", "Server Complete GET /real host= 1.1 204 0/0"),
        New("refused expectation, chunks sent all the same", ["<POST /e HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
            ">HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", "<A\r\n0123456789\r\n0\r\n\r\n", "<GET /real HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete POST /e host= 1.1 417 0/0", "Server Complete GET /real host= 1.1 204 0/0"),
        New("PROXY 1", ["<PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n", "<GET /p HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n", "<GET /q HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete GET /p host= 1.1 204 0/0", "Server Complete GET /q host= 1.1 204 0/0"),
        New("PROXY 1 with the request", ["<PROXY TCP6 2001:db8::7 ::1 4711 80\r\n\r\nGET /p HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"], "Server Complete GET /p host= 1.1 204 0/0"),
        New("PROXY 1, unknown, as client", [">PROXY UNKNOWN\r\nGET /p HTTP/1.1\r\n\r\n", "<HTTP/1.1 204 N\r\n\r\n"], "Client Complete GET /p host= 1.1 204 0/0"),
        New("PROXY 2", ["<\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x50\x04\0\0", "<GET /p HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete GET /p host= 1.1 204 0/0"),
        New("PROXY 2, local, as client", [">\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET /p HTTP/1.1\r\n\r\n", "<HTTP/1.1 204 N\r\n\r\n"], "Client Complete GET /p host= 1.1 204 0/0"),
        New("PROXY before another protocol", ["<PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n\x16\x03\x01\x02", ">\x16\x03\x03\0\x7a"]),
        New("PROXY twice", ["<PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\nPROXY TCP4 192.0.2.8 198.51.100.1 4711 80\r\n", ">HTTP/1.1 400 B\r\nContent-Length: 0\r\n\r\n", "#"]),
        New("a method named PROXY", ["<PROXY / HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"], "Server Complete PROXY / host= 1.1 204 0/0"),
        New("many empty lines", ["<" + string.Concat(Enumerable.Repeat("\r\n", 20)) + "GET /l HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"], "Server Complete GET /l host= 1.1 204 0/0"),
        New("methods of other characters", ["<BITS_POST /1 HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n", "<A1 /2 HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n",
            "<X /3 HTTP/1.1\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n"],
            "Server Complete BITS_POST /1 host= 1.1 204 0/0", "Server Complete A1 /2 host= 1.1 204 0/0", "Server Complete X /3 host= 1.1 204 0/0"),
        New("blanks in start lines", ["<GET  /1  HTTP/1.1 \r\n\r\n", ">HTTP/1.1  201 \r\nContent-Length: 0\r\n\r\n", "<GET\t/2 \v\fHTTP/1.0\t\r\n\r\n",
            ">HTTP/1.1 \t 202\tOK\r\nContent-Length: 0\r\n\r\n", "<  GET\r/3 HTTP/1.1\r\n\r\n", ">HTTP/1.0\v203\r\nContent-Length: 0\r\n\r\n"],
            "Server Complete GET /1 host= 1.1 201 0/0", "Server Complete GET /2 host= 1.0 202 0/0", "Server Complete GET /3 host= 1.1 203 0/0"),
        New("versions that servers accept", ["<GET /1 HTTP/1.10\r\n\r\n", ">HTTP/1.1 204 N\r\n\r\n", "<GET /2 HTTP/2.0\r\n\r\n", ">HTTP/2.0 204 N\r\n\r\n"],
            "Server Complete GET /1 host= 1.1 204 0/0", "Server Complete GET /2 host= 1.1 204 0/0"),
        New("answers that cannot be read", ["<GET /1 HTTP/1.1\r\n\r\n", ">HTTP/1.1 2000 No\r\nContent-Length: 2\r\n\r\nok", "<GET /2 HTTP/1.1\r\n\r\n",
            ">HTTP/1.1 99 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "<GET /3 HTTP/1.1\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
            "Server Unfinished GET /1 host= 1.1 0 0/-1", "Server Unfinished GET /2 host= 1.1 0 0/-1", "Server Complete GET /3 host= 1.1 200 0/0"),
        New("an answer that is no HTTP, then others", ["<GET /1 HTTP/1.1\r\n\r\n", ">ICY 200 OK\r\n\r\n", "<GET /2 HTTP/1.1\r\n\r\n",
            ">HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n", "<GET /3 HTTP/1.1\r\n\r\n", ">HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n"],
            "Server Unfinished GET /1 host= 1.1 0 0/-1", "Server Complete GET /2 host= 1.1 201 0/0", "Server Complete GET /3 host= 1.1 202 0/0"),
    ];

    /// <summary>Too long to be cut at each index.</summary>
    public static IReadOnlyList<HttpCase> Large { get; } =
    [
        New("huge head", ["<GET /h HTTP/1.1\r\nHost: a\r\n" + Cookies + "Content-Length: 2\r\n\r\nab", ">HTTP/1.1 200 OK\r\n" + Cookies + "Content-Length: 1\r\n\r\nx"],
            "Server Complete GET /h host=a 1.1 200 2/1"),
        New("line without end", ["<GET /" + new string('a', 40000) + " HTTP/1.1\r\nHost: a\r\n\r\n", ">HTTP/1.1 414 Long\r\nContent-Length: 0\r\n\r\n"],
            "Server Complete GET /" + new string('a', 16379) + " host=a 1.1 414 0/0"),
        New("long field", ["<GET / HTTP/1.1\r\nX: " + new string('a', 40000) + "\r\nHost: a\r\n\r\n", ">HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
            "Server Complete GET / host=a 1.1 200 0/0"),
    ];

    private static HttpCase New(string name, string[] steps, params string[] spans) =>
        new(name, [.. steps.Select(s => new Step(s[0], Encoding.Latin1.GetBytes(s[1..])))], spans);
}

using System.Text;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>
/// Which first bytes are HTTP/1: whole request lines (RFC 9112 section 3) and PROXY headers are, what other protocols begin with is not,
/// and what may become a request waits, but not where no more bytes can come.
/// </summary>
public class HttpOpeningTests
{
    private const string Long = "/a/path/that/is/so/long/that/the/end/of/the/line/is/not/within/64/bytes";

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", Confirmation.Yes)]
    [InlineData("\r\n\nPOST /x HTTP/1.0\n", Confirmation.Yes)]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Confirmation.Yes)]
    [InlineData("CONNECT db.example:443 HTTP/1.1\r\n", Confirmation.Yes)]
    [InlineData("purge /x HTTP/1.1\r\n", Confirmation.Yes)]
    [InlineData("GET " + Long, Confirmation.Yes)]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n", Confirmation.Yes)]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\x21\x11", Confirmation.Yes)]
    [InlineData("\r\n\r\n\0", Confirmation.Yes)]
    [InlineData("G", Confirmation.Undecided)]
    [InlineData("GET /", Confirmation.Undecided)]
    [InlineData("GET / HTTP/1.1\r", Confirmation.Undecided)]
    [InlineData("PROXY TCP4 192.0.2.7 198.51", Confirmation.Undecided)]
    [InlineData("\r\n", Confirmation.Undecided)]
    [InlineData("", Confirmation.No)]
    [InlineData("GET key\r\n", Confirmation.No)] // inline command of Redis
    [InlineData("PING\r\n", Confirmation.No)]
    [InlineData("*1\r\n$4\r\nPING\r\n", Confirmation.No)]
    [InlineData("get key\r\n", Confirmation.No)] // memcached
    [InlineData("A1 LOGIN a b\r\n", Confirmation.No)] // IMAP
    [InlineData("EHLO client.example\r\n", Confirmation.No)] // SMTP
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Confirmation.No)] // RFC 9113 section 3.4
    [InlineData("HTTP/1.1 200 OK\r\n", Confirmation.No)]
    [InlineData("\0\0\0\x08\x04\xd2\x16\x2f", Confirmation.No)] // SSLRequest of PostgreSQL
    [InlineData("\x16\x03\x01\x02\0\x01", Confirmation.No)] // ClientHello of TLS
    public void A_connection_of_which_nothing_is_known(string data, Confirmation expected)
    {
        Assert.Equal(expected, Judge(data, data.Length));
        // Of which bytes were not captured.
        var cut = Judge(data, data.Length + 1000);
        Assert.NotEqual(Confirmation.Undecided, cut);
        Assert.Equal(expected == Confirmation.Undecided && data.Trim().Length > 0 ? Confirmation.Yes : cut, cut);
    }

    [Theory]
    [InlineData("GET /nonsense\r\n", Confirmation.Yes)]
    [InlineData("GE", Confirmation.Yes)]
    [InlineData("\r\n", Confirmation.Yes)]
    [InlineData("HTTP/1.1 200 OK\r\n", Confirmation.No)]
    [InlineData("no request, no message", Confirmation.No)]
    public void A_connection_that_has_spoken_HTTP(string data, Confirmation expected)
    {
        var opening = new Opening { Data = Encoding.Latin1.GetBytes(data), Length = data.Length, IsKnown = true };
        Assert.Equal(expected, HttpOpening.Judge(in opening));
    }

    private static Confirmation Judge(string data, long length)
    {
        var opening = new Opening { Data = Encoding.Latin1.GetBytes(data), Length = length };
        return HttpOpening.Judge(in opening);
    }
}

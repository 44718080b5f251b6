using System.Text;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>Connections that begin with inline commands, as of a script or redis-cli --pipe; and those that only look so.</summary>
public class RedisInlineTests
{
    private static readonly (char From, string Bytes)[] Session =
    [
        ('>', "SET a 1\r\n"), ('<', "+OK\r\n"), ('>', "ping\r\nGET a\r\nGET\r\n"),
        ('<', "+PONG\r\n$1\r\n1\r\n-ERR wrong number of arguments for 'get' command\r\n"),
        ('>', RedisRig.Command("DEL", "a")), ('<', ":1\r\n"), ('>', "QUIT\r\n"), ('<', "+OK\r\n"),
    ];

    private static readonly string[] Expected =
    [
        "Complete|0|SET|SET a ?||2", "Complete|0|ping|ping||2", "Complete|0|GET|GET a||2", "Complete|0|GET|GET|ERR|2",
        "Complete|0|DEL|DEL a||2", "Complete|0|QUIT|QUIT||2",
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CutAnywhere(bool isServer)
    {
        for (var cut = 1; cut < 80; cut++)
        {
            Assert.Equal(Expected, Play(isServer, bytes => cut < bytes.Length ? [cut, bytes.Length - cut] : [bytes.Length]));
        }

        Assert.Equal(Expected, Play(isServer, static bytes => Enumerable.Repeat(1, bytes.Length)));
    }

    /// <summary>More than can wait for a response: commands that no other protocol has are enough.</summary>
    [Fact]
    public void ThousandsOfLines()
    {
        var rig = Rig(isServer: true);
        rig.Raw('>', string.Concat(Enumerable.Range(0, 60).Select(i => $"SET key:{i} value\r\n")));
        rig.Raw('<', string.Concat(Enumerable.Repeat("+OK\r\n", 60)));
        rig.Raw('>', $"RPUSH list {new string('x', 300)}\r\n").Raw('<', ":1\r\n");
        rig.Close();
        Assert.Equal(61, rig.Log.Lines.Count);
        Assert.Equal("Complete|0|SET|SET key:59 ?||2", rig.Log.Lines[59]);
        Assert.Equal("Complete|0|RPUSH|RPUSH list ?||2", rig.Log.Lines[60]);
    }

    /// <summary>Openings of others, as their specifications have them. Each goes on for some turns.</summary>
    [Theory]
    [InlineData("memcached", "get key\r\n", "END\r\n")]
    [InlineData("memcached", "set key 0 0 1\r\n1\r\n", "STORED\r\n")]
    [InlineData("memcached", "incr key 1\r\n", "5\r\n")]
    [InlineData("memcached", "touch key 10\r\n", "TOUCHED\r\n")]
    [InlineData("memcached, more than waits",
        "get a_rather_long_key_of_memcached_1 a_rather_long_key_of_memcached_2\r\nget b\r\n", "END\r\nEND\r\n")]
    [InlineData("memcached, more than waits", "set key 0 0 50\r\nSET key value\r\n01234567890123456789012345678901234\r\n", "STORED\r\n")]
    [InlineData("HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/0.9", "GET /index.html\r\n", "<html>")]
    [InlineData("NATS", "PING\r\n", "PONG\r\n")]
    [InlineData("beanstalkd", "watch jobs\r\n", "WATCHING 2\r\n")]
    [InlineData("STOMP", "SUBSCRIBE\ndestination:/queue/a\n\n\0", "MESSAGE\nmessage-id:1\n\nhello\0")]
    [InlineData("ZooKeeper", "dump\n", "SessionTracker dump:\n")]
    [InlineData("finger", "info\r\n", "Login: info\r\n")]
    [InlineData("SMTP", "EHLO client\r\n", "250 mail\r\n", "220 mail ESMTP\r\n")]
    [InlineData("SMTP", "QUIT\r\n", "221 bye\r\n", "220 mail ESMTP\r\n")]
    [InlineData("FTP", "TYPE I\r\n", "200 Type set to I\r\n", "220 ftp\r\n")]
    [InlineData("FTP", "AUTH TLS\r\n", "234 Proceed\r\n", "220 ftp\r\n")]
    [InlineData("POP3", "AUTH PLAIN\r\n", "+ \r\n", "+OK POP3 ready\r\n")]
    [InlineData("POP3", "QUIT\r\n", "+OK bye\r\n", "+OK POP3 ready\r\n")]
    [InlineData("POP3", "LIST\r\n", "+OK 1 messages\r\n", "+OK POP3 ready\r\n")]
    [InlineData("IMAP", "a1 SELECT INBOX\r\n", "* 5 EXISTS\r\na1 OK\r\n", "* OK IMAP4rev1\r\n")]
    [InlineData("IMAP", "SELECT NOOP\r\n", "* BAD\r\n")]
    [InlineData("text", "select a file and press enter\r\n", "ok\r\n")]
    public void OtherProtocols(string name, string request, string response, string? greeting = null)
    {
        foreach (var isServer in new[] { true, false })
        {
            var rig = Rig(isServer);
            if (greeting is not null)
            {
                rig.Raw('<', greeting);
            }

            for (var i = 0; i < 10; i++)
            {
                rig.Raw('>', request).Raw('<', response);
            }

            rig.Wire.Close();
            Assert.True(rig.Log.Lines.Count == 0, $"{name}: {string.Join('\n', rig.Log.Lines)}");
            rig.AssertBalanced();
            Assert.Equal(0, rig.Redis.Count().Produced);
        }
    }

    /// <summary>Own commands and a response that is none: no span, and nothing more is followed.</summary>
    [Fact]
    public void AnotherProtocolWithTheSameCommands()
    {
        var rig = Rig(isServer: true);
        rig.Raw('>', string.Concat(Enumerable.Repeat("LPUSH jobs 1\r\n", 10))).Raw('<', "OK\n");
        rig.Raw('>', "LPUSH jobs 1\r\n").Raw('<', "OK\n");
        rig.Wire.Close();
        Assert.Empty(rig.Log.Lines);
        rig.AssertBalanced();
    }

    /// <summary>In the middle of a connection a line is no proof, whatever comes back.</summary>
    [Fact]
    public void OnlyAtTheBeginning()
    {
        var rig = Rig(isServer: true, isFresh: false);
        for (var i = 0; i < 10; i++)
        {
            rig.Raw('>', "GET a\r\n").Raw('<', "$1\r\n1\r\n");
        }

        rig.Wire.Close();
        Assert.Empty(rig.Log.Lines);
    }

    private static List<string> Play(bool isServer, Func<string, IEnumerable<int>> cuts)
    {
        var rig = Rig(isServer);
        foreach (var (from, bytes) in Session)
        {
            var at = 0;
            foreach (var length in cuts(bytes))
            {
                rig.Write(from, Encoding.Latin1.GetBytes(bytes[at..(at += length)]));
            }
        }

        rig.Close();
        return rig.Log.Lines;
    }

    private static RedisRig Rig(bool isServer, bool isFresh = true)
    {
        var rig = new RedisRig(isFresh, isServer);
        rig.Wire.Flags |= isServer ? SocketEventFlags.Accepted : SocketEventFlags.None;
        return rig;
    }
}

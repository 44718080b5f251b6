using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>Exchanges of MySQL's protocol, which is not known here: one span for each statement, and none for anything else.</summary>
public class SqlFlowTests
{
    /// <summary>Greeting, login, OK, a statement without a table, two with one and their responses, a ping, the end.</summary>
    private static readonly (char From, string Bytes)[] Session =
    [
        ('<', SqlRig.Packet(0, "\n5.5.5-10.11.6-MariaDB\0\u0008\0\0\0abcdefgh\0\u00fe\u00f7\u0008mysql_native_password\0")),
        ('>', SqlRig.Packet(1, "\u0085\u00a2\u00be\0\0\0\0\u0001\u0008root\0\0mysql_native_password\0")),
        ('<', SqlRig.Packet(2, "\0\0\0\u0002\0\0\0")),
        ('>', SqlRig.Command(3, "SET NAMES utf8mb4")),
        ('<', SqlRig.Packet(1, "\0\0\0\u0002\0\0\0")),
        ('>', SqlRig.Command(3, "SELECT name FROM item WHERE id = 7 AND note = 'secret'")),
        ('<', SqlRig.Packet(1, "\u0001") + SqlRig.Packet(2, "\u0003def\u0004shop\u0004item")),
        ('<', SqlRig.Packet(3, "\u0006item 7") + SqlRig.Packet(4, "\u00fe\0\0\u0002\0")),
        ('>', SqlRig.Command(14, "")),
        ('<', SqlRig.Packet(1, "\0\0\0\u0002\0\0\0")),
        ('>', SqlRig.Command(3, "INSERT INTO basket (item, note) VALUES (7, 'it''s secret')")),
        ('<', SqlRig.Packet(1, "\0\u0001\u0001\u0002\0\0\0")),
        ('>', SqlRig.Command(1, "")),
    ];

    private static readonly string[] Expected =
    [
        "Complete|SELECT item|SELECT name FROM item WHERE id = ? AND note = ?|item|",
        "Complete|INSERT basket|INSERT INTO basket (item, note) VALUES (?, ?)|basket|",
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WholeMessages(bool isServer)
    {
        var rig = new SqlRig(isServer);
        Play(rig, static bytes => [bytes.Length]);
        rig.Close();
        Assert.Equal(Expected, rig.Log.Lines);
        Assert.Equal(isServer ? SpanKind.Server : SpanKind.Client, rig.Log.Kind);
        // From the first byte of the request to the last of the response, which comes in two operations of 1,000 ns each.
        Assert.Equal(2000, rig.Log.Times[0].End - rig.Log.Times[0].Start);
        Assert.Equal(1000, rig.Log.Times[1].End - rig.Log.Times[1].Start);
        Assert.DoesNotContain(ProtocolId.Foreign, rig.Verdicts.Told);
        Assert.Contains(ProtocolId.Sql, rig.Verdicts.Told);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CutAnywhere(bool isFresh)
    {
        for (var cut = 1; cut < 80; cut++)
        {
            var rig = new SqlRig(isFresh: isFresh);
            Play(rig, bytes => cut < bytes.Length ? [cut, bytes.Length - cut] : [bytes.Length]);
            rig.Close();
            Assert.Equal(Expected, rig.Log.Lines);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ByteByByte(bool isServer)
    {
        var rig = new SqlRig(isServer);
        Play(rig, static bytes => Enumerable.Repeat(1, bytes.Length));
        rig.Close();
        Assert.Equal(Expected, rig.Log.Lines);
    }

    /// <summary>A response that goes on for long is one; a silence of a second is its end, also when the next request is far.</summary>
    [Fact]
    public void AResponseEndsWithASilence()
    {
        var rig = new SqlRig();
        rig.Raw('>', SqlRig.Command(3, "DELETE FROM basket WHERE id = 1"));
        for (var i = 0; i < 10; i++)
        {
            rig.Wire.Time += 900_000_000;
            rig.Raw('<', "row");
            rig.Tracer.Tick(rig.Wire.Time);
        }

        var last = rig.Wire.Time;
        rig.Tracer.Tick(last + 999_999_999);
        Assert.Empty(rig.Log.Lines);
        rig.Tracer.Tick(last + 1_000_000_000);
        Assert.Equal(["Complete|DELETE basket|DELETE FROM basket WHERE id = ?|basket|"], rig.Log.Lines);
        Assert.Equal((long)last, rig.Log.Times[0].End);

        // More of it changes nothing any more.
        rig.Raw('<', "row").Raw('>', SqlRig.Command(3, "UPDATE a SET b = 1 WHERE c = 2")).Raw('<', "x");
        rig.Close();
        Assert.Equal("Complete|UPDATE a|UPDATE a SET b = ? WHERE c = ?|a|", rig.Log.Lines[1]);
        Assert.Equal(2, rig.Log.Lines.Count);
    }

    [Fact]
    public void WithoutAResponse()
    {
        var rig = new SqlRig(options: new SqlOptions { Ledger = new() { RequestTimeout = TimeSpan.FromSeconds(2) } });
        rig.Raw('>', SqlRig.Command(3, "DELETE FROM basket"));
        rig.Tracer.Tick(rig.Wire.Time + 2_000_000_000);
        rig.Raw('<', "late").Raw('>', SqlRig.Command(3, "DELETE FROM orders"));
        rig.Close();
        Assert.Equal(
            [
                "TimedOut|DELETE basket|DELETE FROM basket|basket|timeout",
                "Closed|DELETE orders|DELETE FROM orders|orders|connection_closed",
            ],
            rig.Log.Lines);
    }

    /// <summary>A text of which only the beginning is captured ends in ? where it is cut inside of a literal.</summary>
    [Fact]
    public void ALongText()
    {
        var rig = new SqlRig();
        rig.Raw('>', SqlRig.Command(3, $"INSERT INTO a (b) VALUES ('{new string('x', 20_000)}')")).Raw('<', "ok");
        rig.Close();
        Assert.Equal(["Complete|INSERT a|INSERT INTO a (b) VALUES (?|a|"], rig.Log.Lines);
    }

    /// <summary>What is lost of a request cuts its text; a response of which bytes are lost is one all the same.</summary>
    [Fact]
    public void LostBytes()
    {
        var rig = new SqlRig();
        rig.Raw('>', SqlRig.Command(3, "SELECT a FROM b WHERE c = 'sec"));
        rig.Wire.Miss(SocketDirection.Receive, 100);
        rig.Raw('>', "ret' AND d = 1");
        rig.Wire.Miss(SocketDirection.Send, 100);
        rig.Raw('<', "rows");
        rig.Close();
        Assert.Equal(["Complete|SELECT b|SELECT a FROM b WHERE c = ?|b|"], rig.Log.Lines);
    }

    /// <summary>The client of a protocol that is not known gets a text with statements: that is no request.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AResponseWithStatements(bool isServer)
    {
        var rig = new SqlRig(isServer);
        for (var i = 0; i < 20; i++)
        {
            rig.Raw('>', SqlRig.Command(3, "SHOW CREATE TABLE item")).Raw('<', SqlRig.Packet(1, "CREATE TABLE item (id int)"));
        }

        rig.Close();
        Assert.Empty(rig.Log.Lines);
        Assert.Empty(rig.Verdicts.Told);
    }

    /// <summary>However long nothing was found, the connection is not given up.</summary>
    [Fact]
    public void AStatementAfterManyOtherMessages()
    {
        var rig = new SqlRig();
        for (var i = 0; i < 1000; i++)
        {
            rig.Raw('>', SqlRig.Command(23, $"\0\0\0\u0001{i}")).Raw('<', SqlRig.Packet(1, new string('r', i)));
        }

        rig.Raw('>', SqlRig.Command(22, "SELECT a FROM b WHERE c = ?")).Raw('<', SqlRig.Packet(1, "\0"));
        rig.Close();
        Assert.Equal(["Complete|SELECT b|SELECT a FROM b WHERE c = ?|b|"], rig.Log.Lines);
    }

    [Theory]
    [InlineData("POST /query HTTP/1.1\r\nHost: db\r\n\r\nSELECT a FROM b")]
    [InlineData("Dear all,\nselect a card from the deck\n")]
    [InlineData("220 mail ESMTP\r\nINSERT INTO a VALUES (1)\r\n")]
    [InlineData("{\"sql\":\"SELECT a FROM b\"}")]
    public void TextIsNoHeader(string message)
    {
        var rig = new SqlRig();
        rig.Raw('>', message).Raw('<', "x").Raw('>', message).Raw('<', "x");
        rig.Close();
        Assert.Empty(rig.Log.Lines);
    }

    private static void Play(SqlRig rig, Func<string, IEnumerable<int>> cuts)
    {
        foreach (var (from, bytes) in Session)
        {
            var at = 0;
            foreach (var length in cuts(bytes))
            {
                rig.Wire.Data(rig.Direction(from), Encoding.Latin1.GetBytes(bytes[at..(at += length)]));
            }
        }
    }
}

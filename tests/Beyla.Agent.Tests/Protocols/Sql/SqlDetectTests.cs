using System.Text;
using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>SQL inside of messages whose protocol is not known.</summary>
public class SqlDetectTests
{
    [Theory]
    [InlineData("\0\0\0\u0045SELECT a FROM b\0\0", "SELECT a FROM b")]
    [InlineData("\u0007\u0001\0insert into a values (1)\u0002FROM", "insert into a values (1)")]
    [InlineData("UPDATE a SET b = 'x'", "UPDATE a SET b = 'x'")]
    [InlineData("#DELETE FROM a WHERE b = 1\n\0", "DELETE FROM a WHERE b = 1\n")]
    [InlineData("\u0001WITH a AS (SELECT * FROM b) SELECT * FROM a", "WITH a AS (SELECT * FROM b) SELECT * FROM a")]
    [InlineData("query\0CREATE TABLE a (b int)", "CREATE TABLE a (b int)")]
    public void Found(string message, string expected)
    {
        var data = Encoding.Latin1.GetBytes(message);
        Assert.True(SqlDetect.Find(data, out var text));
        Assert.Equal(expected, Encoding.Latin1.GetString(data[text]));
        Assert.True(SqlText.LooksLikeSql(data));
    }

    [Theory]
    [InlineData("")]
    [InlineData("SELECT")]
    [InlineData("SELECT 1, 2, 3, 4")]
    [InlineData("Please update your profile today")]
    [InlineData("select a file and press enter")]
    [InlineData("delete messages older than today")]
    [InlineData("GET /select from table HTTP/1.1\r\n\r\n")]
    [InlineData("preSELECT a FROM b")]
    [InlineData("SELECT a \0FROM b")]
    [InlineData("{\"op\":\"insert \",\"into\":1}")]
    public void NotFound(string message) => Assert.False(SqlText.LooksLikeSql(Encoding.Latin1.GetBytes(message)));
}

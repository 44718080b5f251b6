using System.Text;
using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>Where each dialect ends literals, names and comments: PostgreSQL's manual, 4.1; MySQL's, chapter 11; Transact-SQL.</summary>
public class SqlTextTests
{
    [Theory]
    // 4.1.2.1, 4.1.2.2: plain strings, escapes, strings in parts.
    [InlineData(@"SELECT 'Dianne''s horse', 'back\', x", "SELECT ?, ?, x")]
    [InlineData(@"SELECT E'it\'s', e'\\', E'a''b\\' , x", "SELECT ?, ?, ? , x")]
    [InlineData("SELECT 'foo'\n'bar', x", "SELECT ?, x")]
    [InlineData("SELECT 'foo' 'bar', x", "SELECT ? ?, x")]
    [InlineData("SELECT E'foo'  -- more\n  \n'it\\'s', x", "SELECT ?, x")]
    [InlineData("SELECT U&'d\\0061t\\+000061', U&'d!0061' UESCAPE '!', U&\"d\\0061t\", u & 'a'",
        "SELECT ?, ? UESCAPE ?, U&\"d\\0061t\", u & ?")]
    [InlineData("SELECT N'x', B'1001', b'1', X'1FF', x'F'", "SELECT ?, ?, ?, ?, ?")]
    [InlineData("SELECT fooe'x', ae'\\', y", "SELECT fooe?, ae?, y")]
    // 4.1.2.4: dollar quotes.
    [InlineData("SELECT $$Dianne's horse$$, $SomeTag$a $$ $sometag$ b$SomeTag$, x", "SELECT ?, ?, x")]
    [InlineData("DO $do$ BEGIN PERFORM 'x'; END $do$ LANGUAGE plpgsql", "DO ? LANGUAGE plpgsql")]
    [InlineData("SELECT foo$$bar$$, a$1, $1, $2::text, $_ä$x$_ä$", "SELECT foo$$bar$$, a$1, $1, $2::text, ?")]
    // 4.1.2.6: numbers.
    [InlineData("SELECT 42, 3.5, 4., .001, 5e2, 1.925e-3, 1E+10, 1_500_000, 0x1F, 0o273, 0b1001", "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?")]
    [InlineData("SELECT a-1, a - 1, a -1, f(x)-1, b[1]-1, $1-1, -1, 0x1e-5, c3po",
        "SELECT a-?, a - ?, a ?, f(x)-?, b[?]-?, $1-?, ?, ??, c3po")]
    [InlineData("SELECT a[1:2], x::numeric(10,2), '1'::int", "SELECT a[?:?], x::numeric(?,?), ?::int")]
    // Booleans are literals; IS TRUE is a test.
    [InlineData("SELECT true, FALSE WHERE a IS TRUE AND b is not false AND c = TRUE",
        "SELECT ?, ? WHERE a IS TRUE AND b is not false AND c = ?")]
    [InlineData("SELECT DATE '2020-01-01', INTERVAL '1' DAY, timestamp with time zone 'x'",
        "SELECT DATE ?, INTERVAL ? DAY, timestamp with time zone ?")]
    // 4.1.1: names. 4.1.3: operators. 4.1.5: comments.
    [InlineData("SELECT \"it's\", \"a\"\"b\", été, \"t\".\"c\" FROM \"T\"", "SELECT \"it's\", \"a\"\"b\", été, \"t\".\"c\" FROM \"T\"")]
    [InlineData("SELECT a->>'k', b #> '{a}', c ? 'k', d ?| array['a','b'], e @> '{}'",
        "SELECT a->>?, b #> ?, c ? ?, d ?| array[?,?], e @> ?")]
    [InlineData("SELECT 1 -- it's\n, /* a /* it's */ b */ x /**/y", "SELECT ? , x y")]
    [InlineData("SELECT a+--'\n1, b*/* ' */2", "SELECT a+ ?, b* ?")]
    [InlineData("  SELECT\t\r\n a ; ", "SELECT a ;")]
    [InlineData("ALTER ROLE bob PASSWORD 'SECRET' VALID UNTIL '2030-01-01'", "ALTER ROLE bob PASSWORD ? VALID UNTIL ?")]
    [InlineData("ALTER ROLE bob PASSWORD \"SECRET\"", "ALTER ROLE bob PASSWORD ?")]
    [InlineData("SELECT password FROM t", "SELECT password FROM t")]
    public void Postgres(string sql, string expected) => Assert.Equal(expected, Sql.Text(sql));

    [Theory]
    [InlineData("a IN (1, 2, 3)", "a IN (?)")]
    [InlineData("a IN ( 'x','y' , 'z' ) AND b", "a IN ( ?) AND b")]
    [InlineData("a in (1) AND b not IN (2,3)", "a in (?) AND b not IN (?)")]
    [InlineData("a IN (1, 2, b, 4)", "a IN (?,?, b, ?)")]
    [InlineData("a IN (1, 2 + b)", "a IN (?,? + b)")]
    [InlineData("a IN ($1, $2)", "a IN ($1, $2)")]
    [InlineData("a IN (SELECT 1, 2)", "a IN (SELECT ?, ?)")]
    [InlineData("a IN (1, (2), 3)", "a IN (?, (?), ?)")]
    [InlineData("VALUES (1, 2), (3, 4)", "VALUES (?, ?), (?, ?)")]
    [InlineData("a IN (1, 2", "a IN (?")]
    public void Lists(string sql, string expected) => Assert.Equal(expected, Sql.Text(sql));

    [Theory]
    [InlineData("SELECT \"SECRET\", 'it\\'s', \"a\\\"b\", `it's`, `a``b`", "SELECT ?, ?, ?, `it's`, `a``b`")]
    [InlineData("SELECT _utf8'x', n'y', x'1F', b'1', 0x1F, _latin1 'z'", "SELECT ?, ?, ?, ?, ?, _latin1 ?")]
    [InlineData("SELECT 1 # it's\n, 5--3, 2 -- it's\n, a", "SELECT ? , ?-?, ? , a")]
    [InlineData("SELECT /*!40001 SQL_NO_CACHE */ a /*! 'x' */ b", "SELECT SQL_NO_CACHE a ? b")]
    [InlineData("SELECT /*! '*/ SECRET' */ b", "SELECT ?")]
    [InlineData("SELECT /* a /* it's */ b, ? , ?", "SELECT b, ? , ?")]
    [InlineData("SET PASSWORD FOR 'bob'@'%' = 'SECRET'", "SET PASSWORD FOR ?@? = ?")]
    [InlineData("CREATE USER bob IDENTIFIED BY \"SECRET\"", "CREATE USER bob IDENTIFIED BY ?")]
    public void MySql(string sql, string expected) => Assert.Equal(expected, Sql.Text(sql, SqlDialect.MySql));

    [Theory]
    [InlineData("SELECT [it's], [a]]b], N'x', 0x1F, $12.50, 'back\\', @p1, @1 FROM #t",
        "SELECT [it's], [a]]b], ?, ?, ?, ?, @p1, @1 FROM #t")]
    [InlineData("SELECT \"SECRET\", \"t\".\"c\" FROM \"t\" JOIN \"u\" ON 1 = 1", "SELECT ?, \"t\".\"c\" FROM \"t\" JOIN \"u\" ON ? = ?")]
    [InlineData("SELECT /* a /* it's */ b */ x", "SELECT x")]
    public void SqlServer(string sql, string expected) => Assert.Equal(expected, Sql.Text(sql, SqlDialect.SqlServer));

    /// <summary>What servers read differently is not shown: each has a server to which SECRET is inside a literal.</summary>
    [Theory]
    [InlineData(@"SELECT 'a\' SECRET '", "SELECT ?")]
    [InlineData("SELECT \"SECRET\"", "SELECT ?")]
    [InlineData("SELECT trim(both FROM \"SECRET\")", "SELECT trim(both FROM ?)")]
    [InlineData("SELECT a IS DISTINCT FROM \"SECRET\"", "SELECT a IS DISTINCT FROM ?")]
    [InlineData("SELECT $$SECRET$$", "SELECT ?")]
    [InlineData("SELECT a # '\n SECRET '", "SELECT a ?")]
    [InlineData("SELECT a --'\n SECRET '", "SELECT a ?")]
    [InlineData("SELECT 1 -- x\r SECRET '\n", "SELECT ? ?")]
    [InlineData("SELECT /* /* */ ' */ SECRET '", "SELECT ?")]
    [InlineData("SELECT /*! '*/ SECRET '*/", "SELECT ?")]
    [InlineData("SELECT [it's] = 'SECRET'", "SELECT ?")]
    [InlineData("SELECT q'[it's SECRET]'", "SELECT ?")]
    [InlineData("SELECT ARRAY['x','y'], `a b`, \"t\".c", "SELECT ARRAY[?,?], `a b`, \"t\".c")]
    [InlineData("SELECT :1, :name, ?2, %s, @p1, $1", "SELECT :1, :name, ?2, %s, @p1, $1")]
    [InlineData("SELECT a[1 :2]", "SELECT a[? :?]")]
    public void Generic(string sql, string expected) => Assert.Equal(expected, Sql.Text(sql, SqlDialect.Generic));

    [Theory]
    [InlineData("SELECT 'SEC", "SELECT ?")]
    [InlineData("SELECT \"SEC", "SELECT ?")]
    [InlineData("SELECT E'SEC\\'", "SELECT ?")]
    [InlineData("SELECT $ta", "SELECT ?")]
    [InlineData("SELECT $tag$SEC $tag", "SELECT ?")]
    [InlineData("SELECT a = tr", "SELECT a = ?")]
    [InlineData("SELECT abc", "SELECT abc")]
    [InlineData("SELECT a /* SEC", "SELECT a")]
    [InlineData("SELECT 12", "SELECT ?")]
    public void Cut(string sql, string expected) => Assert.Equal(expected, Sql.Text(sql, isCut: true));

    [Fact]
    public void ATooSmallBufferIsCutBetweenTokens()
    {
        var sql = "SELECT 'x', \"long name\" FROM t WHERE a IN (1, 2, b)"u8.ToArray();
        var whole = Sql.Text(sql, SqlDialect.Postgres, false);
        var ends = new HashSet<int> { 0, 6, 8, 9, 21, 26, 28, 34, 36, 39, 41, 42, 44, 45, 47, 48 };
        for (var size = 0; size < sql.Length; size++)
        {
            var to = new byte[size];
            var length = SqlText.Sanitise(sql, SqlDialect.Postgres, false, to);
            Assert.Equal(whole[..length], Encoding.UTF8.GetString(to.AsSpan(0, length)));
            Assert.True(whole.Length == length || ends.Contains(length), $"cut at {length}: {whole[..length]}");
        }
    }

    [Fact]
    public void InvalidUtf8StaysAsItIs()
    {
        byte[] sql = [.. "SELECT \xff"u8[..7], 0xff, 0xc3, (byte)' ', (byte)'\'', 0xc3, (byte)'\'', (byte)',', 0x80];
        var to = new byte[sql.Length];
        Assert.Equal([.. "SELECT "u8, 0xff, 0xc3, .. " ?,"u8, 0x80], to[..SqlText.Sanitise(sql, SqlDialect.Postgres, false, to)]);
    }
}

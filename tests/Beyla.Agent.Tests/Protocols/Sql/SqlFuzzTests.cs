using System.Text;
using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>Texts cut and mutated: nothing inside of a literal is shown, nothing throws, the work is in proportion to the text.</summary>
public class SqlFuzzTests
{
    private const int Mutations = 1_000_000, Compared = 60_000;

    private static readonly SqlDialect[] Dialects = Enum.GetValues<SqlDialect>();

    /// <summary>SECRET stands inside of literals and comments only, in every dialect that is named with the text.</summary>
    private static readonly (string Sql, SqlDialect[] Dialects)[] Secrets =
    [
        ("SELECT 'SECRET', a FROM b WHERE c = 'it''s SECRET' AND d IN ('SECRET', 'SECRET') -- SECRET\n AND 1 = 1 /* SECRET */", Dialects),
        ("ALTER USER bob PASSWORD 'SECRET'; INSERT INTO a VALUES (N'SECRET', x'5EC2E7', 'SECRET\nSECRET')", Dialects),
        (@"SELECT E'\'SECRET', e'SECRET\\', U&'SECRET', U&'!SECRET' UESCAPE '!', 'SECRET\', ""a'b""", [SqlDialect.Postgres]),
        ("SELECT E'SECRET'\n -- SECRET'\n'\\'SECRET', $$SECRET$$, $t$ '$$SECRET $t $t$, a$1 /* /* SECRET */ SECRET */",
            [SqlDialect.Postgres]),
        (@"SELECT ""SECRET"", ""\""SECRET"", '\'SECRET', _utf8'SECRET', `it's`, 5--1 # SECRET", [SqlDialect.MySql]),
        ("SELECT /*!40001 'SECRET' */ a, /* /* SECRET */ \"SECRET\" -- SECRET", [SqlDialect.MySql, SqlDialect.Generic]),
        ("SELECT [it's], \"SECRET\", N'SECRET', 'SECRET\\', #t.a /* /* SECRET */ SECRET */ --SECRET",
            [SqlDialect.SqlServer, SqlDialect.Generic]),
        (@"SELECT 'SECRET\', SECRET'", [SqlDialect.MySql, SqlDialect.Generic]),
        ("SELECT trim(both FROM \"SECRET\"), $$SECRET$$, a--'SECRET\n", [SqlDialect.Generic]),
    ];

    private static readonly string[] Fragments =
    [
        "'", "''", "\"", "E'", "U&'", "$$", "$t$", "--", "/*", "*/", "\n", "\\", "(", ")", ",", ";", "$1", "[", "]", "`", "#", "/*!",
        " IN (", "SELECT ", " FROM ", "é", "_utf8'", "1", "-1", ".", "e", "B'", " WITH ",
    ];

    [Fact]
    public void CutAtEachPlace()
    {
        foreach (var (sql, dialects) in Secrets)
        {
            var data = Encoding.UTF8.GetBytes(sql);
            foreach (var dialect in dialects)
            {
                for (var length = 0; length <= data.Length; length++)
                {
                    Check(data[..length], dialect, true);
                    Check(data[..length], dialect, false);
                }
            }
        }

        static void Check(byte[] data, SqlDialect dialect, bool isCut)
        {
            var text = Sql.Text(data, dialect, isCut);
            Assert.DoesNotContain("SEC", text, StringComparison.Ordinal);
            Assert.DoesNotContain("CRET", text, StringComparison.Ordinal);
            var to = new byte[SqlSummary.MaxLength];
            var summary = Encoding.UTF8.GetString(to.AsSpan(0, SqlSummary.Write(data, dialect, to, isCut).Length));
            Assert.DoesNotContain("SEC", summary, StringComparison.Ordinal);
            Assert.DoesNotContain("CRET", summary, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Mutated()
    {
        var random = new Random(20261127);
        var corpus = Secrets.Select(s => Encoding.Latin1.GetBytes(s.Sql)).ToArray();
        var fragments = Fragments.Select(Encoding.UTF8.GetBytes).ToArray();
        var buffer = new byte[512];
        var to = new byte[512];
        var summary = new byte[SqlSummary.MaxLength];
        for (var i = 0; i < Mutations; i++)
        {
            var length = Mutate(corpus[random.Next(corpus.Length)], fragments, random, buffer);
            var sql = buffer.AsSpan(0, length);
            var dialect = Dialects[i & 3];
            var written = SqlText.Sanitise(sql, dialect, (i & 4) != 0, to);
            var facts = SqlSummary.Write(sql, dialect, summary, (i & 4) != 0);
            var isRight = written <= length && facts.Length <= length && facts.Length <= SqlSummary.MaxLength
                && facts.Operation.End.Value <= facts.Length && facts.Collection.End.Value <= facts.Length;
            Assert.True(isRight, "lengths");
            if ((i & 7) == 7)
            {
                SqlText.LooksLikeSql(sql);
            }

            if (i < Compared && dialect == SqlDialect.Postgres)
            {
                Compare(sql, to.AsSpan(0, written));
                Compare(sql, summary.AsSpan(0, facts.Length));
            }
        }
    }

    /// <summary>Random texts of what begins and ends literals: the shortest way into each corner.</summary>
    [Fact]
    public void Composed()
    {
        var random = new Random(4);
        for (var i = 0; i < Compared / 2; i++)
        {
            var parts = Enumerable.Range(0, random.Next(1, 14)).Select(_ => random.Next(4) == 0 ? "S" : Pick());
            var sql = Encoding.Latin1.GetBytes(string.Concat(parts));
            var to = new byte[sql.Length];
            Compare(sql, to.AsSpan(0, SqlText.Sanitise(sql, SqlDialect.Postgres, false, to)));
        }

        string Pick() => Fragments[random.Next(Fragments.Length)];
    }

    /// <summary>One long run of whatever makes the scanner look ahead.</summary>
    [Fact]
    public void TheWorkIsInProportion()
    {
        string[] units =
        [
            "'' \n", "' -- \n", "$a ", "$a$", "/*!", "/*! */", "[", "[']", "--", "\"a\".", "\\'", "U&'", "((((", "-- '\r", "'a'    ",
        ];
        foreach (var unit in units)
        {
            foreach (var dialect in Dialects)
            {
                var sql = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(unit, 20_000)));
                var scanner = new SqlScanner(sql, dialect);
                while (scanner.Next() != SqlToken.End)
                {
                    Assert.True(scanner.End > scanner.Start);
                }

                Assert.InRange(scanner.Looked, 0, 2 * sql.Length);
            }
        }
    }

    /// <summary>What is shown, without blanks and question marks, has to be outside of literals and comments, in the same order.</summary>
    private static void Compare(ReadOnlySpan<byte> sql, ReadOnlySpan<byte> shown)
    {
        var outside = SqlReference.Outside(Encoding.Latin1.GetString(sql));
        var at = 0;
        foreach (var c in shown)
        {
            if (c is (byte)' ' or (byte)'?')
            {
                continue;
            }

            // Commas of a list that is not made shorter stand there too: their order is the same.
            at = outside.IndexOf((char)c, at) + 1;
            Assert.True(at > 0, $"{Encoding.Latin1.GetString(sql)}\n{Encoding.Latin1.GetString(shown)}\n{outside}");
        }
    }

    private static int Mutate(byte[] sql, byte[][] fragments, Random random, byte[] buffer)
    {
        sql.CopyTo(buffer, 0);
        var length = sql.Length;
        for (var i = random.Next(4); i >= 0 && length > 1; i--)
        {
            var at = random.Next(length);
            switch (random.Next(5))
            {
                case 0:
                    buffer[at] = (byte)random.Next(256);
                    break;
                case 1:
                    length = at + 1;
                    break;
                case 2:
                    buffer.AsSpan(at + 1, length - at - 1).CopyTo(buffer.AsSpan(at));
                    length--;
                    break;
                default:
                    var fragment = fragments[random.Next(fragments.Length)];
                    buffer.AsSpan(at, length - at).CopyTo(buffer.AsSpan(at + fragment.Length));
                    fragment.CopyTo(buffer, at);
                    length += fragment.Length;
                    break;
            }
        }

        return length;
    }
}

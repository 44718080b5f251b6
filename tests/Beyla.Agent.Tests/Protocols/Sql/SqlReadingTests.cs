using System.Buffers;
using System.Text;
using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>
/// Sessions of PostgreSQL that read literals otherwise (manual, 4.1.2.1 and standard_conforming_strings; 24.3, encodings of clients alone).
/// The encodings are .NET's; what is right is what the same text says in UTF-8, to which the server converts before it reads.
/// </summary>
public class SqlReadingTests
{
    private static readonly (string Name, string Postgres, int CodePage)[] Encodings =
    [
        ("SJIS", "SJIS", 932), ("BIG5", "BIG5", 950), ("GBK", "GBK", 936), ("UHC", "UHC", 949), ("GB18030", "GB18030", 54936),
        ("JOHAB", "JOHAB", 1361),
    ];

    private static readonly SearchValues<byte> Signs = SearchValues.Create("\\@[]^`{|}~"u8);

    static SqlReadingTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public static TheoryData<string> Names => [.. Encodings.Select(e => e.Name)];

    [Theory]
    [InlineData(@"SELECT 'it\'s SECRET', x", "SELECT ?, x")]
    [InlineData(@"SELECT 'a\\', x, 'b''c\' SECRET'", "SELECT ?, x, ?")]
    [InlineData(@"SELECT N'it\'s SECRET', E'it\'s', x", "SELECT ?, ?, x")]
    // Not for bits, and a server that has escapes in strings refuses U&: both readings count.
    [InlineData(@"SELECT B'1\' SECRET '", "SELECT ?")]
    [InlineData(@"SELECT U&'1\' SECRET '", "SELECT ?")]
    [InlineData(@"SELECT X'1F', U&'d\0061', x", "SELECT ?, ?, x")]
    public void WithEscapesInAllStrings(string sql, string expected) =>
        Assert.Equal(expected, Text(sql, new SqlReading(SqlBackslash.Escape, SqlEncoding.Kind.Apart)));

    [Theory]
    [InlineData(@"SELECT 'a\' SECRET '", "SELECT ?")]
    [InlineData(@"SELECT 'a\\', x", "SELECT ?, x")]
    [InlineData(@"SELECT 'a\n', E'it\'s', x", "SELECT ?, ?, x")]
    [InlineData("SELECT 'é', \"é\", é || 'x', année = $1, 名前=$1, $é$SECRET$é$, E'é' FROM été", null)]
    public void WhenNothingIsKnown(string sql, string? expected) =>
        Assert.Equal(expected ?? "SELECT ?, \"é\", é || ?, année = $1, 名前=$1, ?, ? FROM été", Text(sql, SqlReading.Unknown));

    /// <summary>A backslash, a sign or a letter that is the second byte of a character (表 in SJIS is 95 5C).</summary>
    [Theory]
    [InlineData("SELECT E'\x95\x5c', x, 'SECRET'", "SELECT ?, x, ?")]
    [InlineData("SELECT $\x95\x5c$ SECRET ' $\x95\x5c$, x", "SELECT ?, x")]
    [InlineData("SELECT '\x95\x5c', x, 'SECRET'", "SELECT ?, x, ?")]
    [InlineData("SELECT '\xb1', x, 'SECRET'", "SELECT ?, x, ?")]
    // A character that is none: from there on nothing is known.
    [InlineData("SELECT '\x95' , SECRET '", "SELECT ?")]
    [InlineData("SELECT a, '\x95", "SELECT a, ?")]
    public void ShiftJis(string sql, string expected) =>
        Assert.Equal(expected, Masked(Encoding.Latin1.GetBytes(sql), SqlEncoding.Kind.ShiftJis));

    [Theory]
    [InlineData("SELECT E'\x95\x5c', x, 'SECRET'", "SELECT ?")]
    [InlineData("SELECT $\x95\x5c$ SECRET ' $\x95\x5c$, x", "SELECT $?")]
    [InlineData("SELECT \x95\x5c" + "e'SECRET\\', x, 'SECRET'", "SELECT ?")]
    [InlineData("SELECT 'x\x95\x5c' SECRET '", "SELECT ?")]
    public void ShiftJisThatIsNotKnownToBeSo(string sql, string expected) =>
        Assert.Equal(expected, Latin1(Encoding.Latin1.GetBytes(sql), SqlReading.Unknown));

    /// <summary>Random texts of literals, quotes and names with characters whose later bytes are below 128.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void AsInUtf8(string name)
    {
        var (_, postgres, codePage) = Encodings.Single(e => e.Name == name);
        var kind = SqlEncoding.Find(Encoding.ASCII.GetBytes(postgres));
        var encoding = Encoding.GetEncoding(codePage);
        var characters = Characters(encoding);
        Assert.True(characters.Length > 20, $"{characters.Length} characters");
        var random = new Random(20261127);
        for (var i = 0; i < 4000; i++)
        {
            var sql = Compose(random, characters);
            var isOutside = true;
            foreach (var backslash in (SqlBackslash[])[SqlBackslash.Plain, SqlBackslash.Escape])
            {
                var expected = Text(sql, new SqlReading(backslash, SqlEncoding.Kind.Apart));
                Assert.Equal(Runs(expected), Runs(Masked(encoding.GetBytes(sql), kind, backslash)));
                isOutside &= expected.Contains("SECRET", StringComparison.Ordinal);
            }

            // Where nothing is known no more is shown than is right in any case.
            var shown = Latin1(encoding.GetBytes(sql), SqlReading.Unknown);
            Assert.True(isOutside || !shown.Contains("SECRET", StringComparison.Ordinal), $"{sql}: {shown}");
        }
    }

    [Fact]
    public void NamesOfEncodings()
    {
        Assert.Equal(SqlEncoding.Kind.ShiftJis, SqlEncoding.Find("SHIFT_JIS_2004"u8));
        Assert.Equal(SqlEncoding.Kind.Apart, SqlEncoding.Find("UTF8"u8));
        Assert.Equal(SqlEncoding.Kind.Apart, SqlEncoding.Find("EUC_JP"u8));
        Assert.Equal(SqlEncoding.Kind.Apart, SqlEncoding.Find("SQL_ASCII"u8));
    }

    [Fact]
    public void AnyBytesInAnyEncoding()
    {
        var random = new Random(5);
        byte[] bytes = new byte[64], to = new byte[64];
        for (var i = 0; i < 100_000; i++)
        {
            random.NextBytes(bytes);
            var text = bytes.AsSpan(0, random.Next(bytes.Length));
            var kind = (SqlEncoding.Kind)random.Next(1, 5);
            var length = SqlEncoding.Mask(text, kind, to);
            Assert.InRange(length, 0, text.Length);
            var reading = new SqlReading(SqlBackslash.Escape, kind);
            var written = SqlText.Sanitise(to.AsSpan(0, length), SqlDialect.Postgres, true, bytes, reading);
            Assert.InRange(written, 0, length);
            _ = SqlText.Sanitise(bytes.AsSpan(0, 32), SqlDialect.Postgres, true, to, SqlReading.Unknown);
        }
    }

    /// <summary>Characters of which a byte behind the first is below 128: signs above all.</summary>
    private static char[] Characters(Encoding encoding)
    {
        List<char> found = [], letters = [];
        for (var c = '\u00a1'; c < '\ud800'; c++)
        {
            var bytes = encoding.GetBytes([c]);
            if (bytes.Length > 1 && bytes[0] >= 0x80 && encoding.GetString(bytes) == c.ToString())
            {
                (bytes.AsSpan(1).ContainsAny(Signs) ? found : bytes[1] < 0x80 ? letters : []).Add(c);
            }
        }

        return [.. found.Take(200), .. letters.Take(50)];
    }

    private static string Compose(Random random, char[] characters)
    {
        var sql = new StringBuilder("SELECT ");
        for (var n = random.Next(1, 7); n >= 0; n--)
        {
            char c = characters[random.Next(characters.Length)], d = characters[random.Next(characters.Length)];
            _ = sql.Append(random.Next(10) switch
            {
                0 => $"'SECRET{c}'",
                1 => $"E'SECRET{c}', ",
                2 => $"E'{c}\\'SECRET{d}\\\\{c}', ",
                3 => $"${c}{d}$SECRET ' {c} ${c}{d}$",
                4 => $"{c}{d}, ",
                5 => $"{c}e'SECRET' ",
                6 => $"\"{c}\"",
                7 => $" /* SECRET {c} */ a",
                8 => $" -- SECRET {c}\n",
                _ => $" 'it''s {d}SECRET' ",
            });
        }

        return sql.ToString();
    }

    /// <summary>Each run of bytes above 127 as one sign, since a character has other bytes in another encoding.</summary>
    private static string Runs(string text)
    {
        var runs = new StringBuilder();
        foreach (var c in text)
        {
            if (c < 128 || runs.Length == 0 || runs[^1] != '#')
            {
                _ = runs.Append(c < 128 ? c : '#');
            }
        }

        return runs.ToString();
    }

    private static string Masked(byte[] sql, SqlEncoding.Kind kind, SqlBackslash backslash = SqlBackslash.Plain)
    {
        var masked = new byte[sql.Length];
        var length = SqlEncoding.Mask(sql, kind, masked);
        return Latin1(masked[..length], new SqlReading(backslash, kind), length < sql.Length);
    }

    private static string Text(string sql, SqlReading reading)
    {
        var data = Encoding.UTF8.GetBytes(sql);
        var to = new byte[data.Length];
        return Encoding.UTF8.GetString(to.AsSpan(0, SqlText.Sanitise(data, SqlDialect.Postgres, false, to, reading)));
    }

    private static string Latin1(byte[] sql, SqlReading reading, bool isCut = false)
    {
        var to = new byte[sql.Length];
        return Encoding.Latin1.GetString(to.AsSpan(0, SqlText.Sanitise(sql, SqlDialect.Postgres, isCut, to, reading)));
    }
}

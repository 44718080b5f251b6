using System.Text;
using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>What the server says of its session (ParameterStatus) decides where a literal ends; a literal is never shown.</summary>
public class PostgresSettingsTests
{
    private const string Escaped = @"select 'a\' or b = ' secret'";

    private readonly PostgresRig rig = new();

    [Fact]
    public void ByDefaultABackslashIsACharacter()
    {
        Begin("standard_conforming_strings", "on", "client_encoding", "UTF8");
        Expect(@"select 'a\', b, 'c'", "select ?, b, ?");
    }

    [Fact]
    public void WithoutStandardStringsItEscapes()
    {
        Begin("standard_conforming_strings", "off", "client_encoding", "UTF8");
        Expect(Escaped, "select ? secret?");
    }

    [Fact]
    public void WhenNothingWasSaidBothCount()
    {
        Begin();
        Expect(Escaped, "select ?");
        Expect("select 'a', b", "select ?, b");
    }

    /// <summary>SET: the next statement is read as the server then says, one that was sent before it did so as either.</summary>
    [Fact]
    public void AfterSet()
    {
        Begin("standard_conforming_strings", "on", "client_encoding", "UTF8");
        rig.Client([.. Query("set standard_conforming_strings to off"), .. Query(Escaped)]);
        rig.Server([.. Complete("SET"), .. Status("standard_conforming_strings", "off"), .. Ready(), .. Complete("SELECT 1"), .. Ready()]);
        Assert.Equal(["set standard_conforming_strings to off", "select ?"], rig.Spans.Select(s => s.Split('|')[2]));
        rig.Spans.Clear();
        Expect(Escaped, "select ? secret?");
    }

    [Fact]
    public void AfterResponsesThatWereNotSeen()
    {
        Begin("standard_conforming_strings", "on", "client_encoding", "UTF8");
        rig.Client(Query("reset all"));
        rig.Miss(false, 60);
        Expect(Escaped, "select ?", "reset all");
    }

    /// <summary>表 is 95 5C in SJIS: the second byte is none of the text.</summary>
    [Fact]
    public void EncodingsWhoseSecondByteLooksLikeABackslash()
    {
        Begin("standard_conforming_strings", "on", "client_encoding", "SJIS");
        Expect("select E'\x95\x5c', a, 'secret' from t", "select ?, a, ? from t");
        rig.Client(Query("set client_encoding = 'UTF8'"));
        rig.Server([.. Complete("SET"), .. Status("client_encoding", "UTF8"), .. Ready()]);
        rig.Spans.Clear();
        Expect(@"select E'it\'s', a, 'secret' from t", "select ?, a, ? from t");
    }

    /// <summary>A prepared statement is read when it is prepared, and not when it is executed.</summary>
    [Fact]
    public void APreparedStatementIsReadOnce()
    {
        Begin("standard_conforming_strings", "on", "client_encoding", "UTF8");
        rig.Client([.. Parse("p", "select a from t where b = 'x'"), .. Sync]);
        rig.Server([.. ParseComplete, .. Ready()]);
        Assert.Equal(1, rig.Protocol.Texts.ReadTexts);
        for (var i = 0; i < 100; i++)
        {
            rig.Client([.. Bind("", "p"), .. Execute(""), .. Sync]);
            rig.Server([.. BindComplete, .. Complete("SELECT 1"), .. Ready()]);
        }

        Assert.Equal(1, rig.Protocol.Texts.ReadTexts);
        Assert.Equal(Enumerable.Repeat("select a from t where b = ?", 100), rig.Spans.Select(s => s.Split('|')[2]));
        rig.Close();
        rig.AssertSettled();
    }

    private static byte[] Status(string name, string value) =>
        Message('S', [.. Encoding.ASCII.GetBytes(name), 0, .. Encoding.ASCII.GetBytes(value), 0]);

    private void Begin(params string[] settings)
    {
        rig.Client(StartUp("user", "app"));
        byte[] status = [.. settings.Chunk(2).SelectMany(pair => Status(pair[0], pair[1]))];
        rig.Server([.. Message('R', [0, 0, 0, 0]), .. status, .. Ready()]);
    }

    private void Expect(string sql, string text, params string[] before)
    {
        rig.Spans.RemoveRange(0, before.Length == 0 ? rig.Spans.Count : 0);
        rig.Client(Query(sql));
        rig.Server([.. Complete("SELECT 1"), .. Ready()]);
        Assert.Equal([.. before, text], rig.Spans.Select(s => s.Split('|')[2]));
    }
}

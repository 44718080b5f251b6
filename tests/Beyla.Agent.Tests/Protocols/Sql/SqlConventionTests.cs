using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>The cases that OpenTelemetry's conventions ship (Conventions/README.md), and the examples of their text.</summary>
public partial class SqlConventionTests
{
    public static TheoryData<string> Names => [.. Cases().Select(c => c.GetProperty("name").GetString()!)];

    [Fact]
    public void ThereAre24() => Assert.Equal(24, Cases().Count);

    [Theory]
    [MemberData(nameof(Names))]
    public void Text(string name)
    {
        var (query, expected) = Case(name);
        var allowed = expected.GetProperty("db.query.text").EnumerateArray().Select(t => Blanks().Replace(t.GetString()!, " "));
        Assert.All(Dialects(), dialect => Assert.Contains(Sql.Text(query, dialect), allowed));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Summary(string name)
    {
        var (query, expected) = Case(name);
        Assert.All(Dialects(), dialect => Assert.Equal(expected.GetProperty("db.query.summary").GetString(), Sql.Summary(query, dialect)));
    }

    [Theory]
    [InlineData("SELECT * FROM wuser_table WHERE username = ?", "SELECT wuser_table")]
    [InlineData("INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = ?",
        "INSERT shipping_details SELECT orders")]
    [InlineData("SELECT * FROM songs, artists WHERE songs.artist_id == artists.id", "SELECT songs artists")]
    [InlineData("SELECT order_date FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.customer_id)",
        "SELECT SELECT orders customers")]
    [InlineData("{call some_stored_procedure}", "call some_stored_procedure")]
    [InlineData("EXECUTE some_stored_procedure", "EXECUTE some_stored_procedure")]
    public void Examples(string query, string summary) => Assert.Equal(summary, Sql.Summary(query, SqlDialect.Generic));

    /// <summary>The conventions would say <c>SELECT "song list" 'artists'</c>; what stands in single quotes is never shown here.</summary>
    [Fact]
    public void LiteralInThePlaceOfATable() =>
        Assert.Equal("SELECT \"song list\"", Sql.Summary("SELECT * FROM \"song list\", 'artists'", SqlDialect.Generic));

    private static SqlDialect[] Dialects() => Enum.GetValues<SqlDialect>();

    private static (string Query, JsonElement Expected) Case(string name)
    {
        var found = Cases().Single(c => c.GetProperty("name").GetString() == name);
        return (found.GetProperty("input").GetProperty("query").GetString()!, found.GetProperty("expected"));
    }

    private static List<JsonElement> Cases([CallerFilePath] string file = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(file)!, "Conventions", "db-sql-test-cases.json");
        return [.. JsonDocument.Parse(File.ReadAllText(path)).RootElement.EnumerateArray()];
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

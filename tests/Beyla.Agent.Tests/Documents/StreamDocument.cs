using System.Text;

namespace Beyla.Agent.Tests.Documents;

/// <summary>Makes the tables of attributes in docs/stream.md from the table that writer and reader use.</summary>
internal static class StreamDocument
{
    private const string Begin = "<!-- Made from src/Beyla.Contracts/SpanAttributes.cs and SpanProtocol.cs. Do not edit from here on; "
        + "BEYLA_UPDATE_DOCS=1 dotnet test tests/Beyla.Agent.Tests --filter Document -->\n";

    private const string End = "<!-- The end of what is made. -->\n";

    /// <summary>The page with its tables made anew; what is written by hand stays.</summary>
    public static string Write(string page)
    {
        var begin = page.IndexOf(Begin, StringComparison.Ordinal);
        var end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, "docs/stream.md has lost the marks of what is made");
        return page[..(begin + Begin.Length)] + Tables() + page[end..];
    }

    private static string Tables()
    {
        var text = new StringBuilder(
            "\n| attribute | type | limit | of | version 1 | meaning |\n|---|---|---|---|---|---|\n");
        foreach (var row in SpanAttributes.All.Where(static row => !row.IsEnvelope))
        {
            text.Append($"| `{row.Name}` | {(row.IsNumber ? "number" : "string")} | {(row.IsNumber ? "" : row.Limit)} | ")
                .Append($"{string.Join(", ", row.Protocols.Select(static name => $"`{name}`"))} | ")
                .Append($"{(row.ShortName is null ? "" : $"`{row.ShortName}`")} | {row.Meaning}{Redacted(row)} |\n");
        }

        text.Append("\n| protocol | operation | target | status |\n|---|---|---|---|\n");
        foreach (var protocol in SpanProtocol.All)
        {
            text.Append($"| `{protocol.Name}` | {Names(protocol.Operations)} | {Names(protocol.Targets)} | {Names([protocol.Status])} |\n");
        }

        return text.Append('\n').ToString();
    }

    private static string Names(IEnumerable<SpanAttribute> attributes) =>
        string.Join(", else ", attributes.Select(static attribute => $"`{SpanAttributes.Of(attribute).Name}`"));

    private static string Redacted(SpanAttributeRow row) => row.Redaction switch
    {
        SpanRedaction.None => "",
        SpanRedaction.UserInfo => "; user name and password redacted",
        SpanRedaction.Path => "; sensitive parameters, user name and password redacted",
        _ => "; sensitive parameters redacted",
    };
}

using System.Runtime.CompilerServices;
using System.Text;
using Beyla.Agent.Export;
using Beyla.Agent.Tests.Contracts;

namespace Beyla.Agent.Tests.Export;

/// <summary>docs/stream.md shows what the agent writes, byte for byte, and names each field.</summary>
public class StreamDocumentationTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/stream.md"));

    [Fact]
    public void ExamplesAreWhatIsWritten()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(2), "test", "test");
        string[] lines =
        [
            Encoding.UTF8.GetString(TracePrinter.Header("0.1.0", 99, Samples.BootTime / 1000)),
            Samples.Format(new JsonFormat(), Samples.Client), Samples.Format(new JsonFormat(), Samples.Broken),
            Samples.Format(new JsonFormat(), Samples.Postgres), Samples.Format(new JsonFormat(), Samples.Redis),
            CountersReportTests.Line + "\n",
            Samples.Format(new TextFormat(TimeText.Local(zone)), Samples.Client),
            Samples.Format(new TextFormat(TimeText.Local(zone)), Samples.Broken),
            Samples.Format(new TextFormat(TimeText.Local(zone)), Samples.Postgres),
            Samples.Format(new TextFormat(TimeText.Local(zone)), Samples.Redis),
        ];
        Assert.All(lines, line => Assert.Contains("\n" + line, Page, StringComparison.Ordinal));
        Assert.Equal(AgentStreamTests.Header + "\n", lines[0]);
    }

    [Fact]
    public void EveryExampleOfAnObjectReadsBack()
    {
        var parser = new StreamLineParser();
        var lines = Page.Split('\n').Where(line => line.StartsWith('{')).ToList();
        Assert.Equal(7, lines.Count);
        Assert.All(lines, line => Assert.Null(parser.Parse(Encoding.UTF8.GetBytes(line)).Error));
    }

    [Fact]
    public void EveryFieldIsDescribed()
    {
        foreach (var line in (string[])
            [
                AgentStreamTests.Header, JsonFormatTests.ClientLine, JsonFormatTests.PostgresLine, CountersReportTests.Line,
            ])
        {
            using var document = System.Text.Json.JsonDocument.Parse(line);
            foreach (var field in document.RootElement.EnumerateObject())
            {
                Assert.True(Page.Contains($"| `{field.Name}`", StringComparison.Ordinal)
                    || Page.Contains($", `{field.Name}` |", StringComparison.Ordinal), field.Name);
            }
        }
    }

    private static string Here([CallerFilePath] string path = "") => path;
}

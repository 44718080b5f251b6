using System.Text;
using System.Text.Json;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

/// <summary>What comes back of an export: the last line, and text that is safe to show.</summary>
public sealed class ExportTests
{
    private static readonly AgentCommand Command = new("/opt/beyla", "export") { ReadsInput = true };

    [Theory]
    [InlineData("beyla: exported 0 spans", 0, 0, "")]
    [InlineData("beyla: exported 1 span", 1, 0, "")]
    [InlineData("beyla: exported 12345678901 spans", 12345678901, 0, "")]
    [InlineData("beyla: exported 3 spans, lost 2: http://x refused: at once", 3, 2, "http://x refused: at once")]
    public void The_report_is_read(string text, long exported, long lost, string reason) =>
        Assert.Equal(new ExportReport(exported, lost, reason), ExportReport.Parse(LogLine.Parse(text)));

    [Theory]
    [InlineData("beyla: exported many spans")]
    [InlineData("beyla: exported 99999999999999999999 spans")]
    [InlineData("so beyla: exported 1 spans")]
    [InlineData("level=INFO msg=\"beyla: exported 1 spans\"")]
    public void What_is_no_report_is_none(string text) => Assert.Null(ExportReport.Parse(LogLine.Parse(text)));

    [Theory]
    [InlineData(0, "beyla: exported 3 spans", null, "")]
    [InlineData(0, "", AgentFault.StreamInvalid, "without saying")]
    [InlineData(1, "beyla: exported 3 spans, lost 2: no receiver", AgentFault.SpansLost, "2 of 5 spans were not exported: no receiver")]
    [InlineData(1, "level=ERROR msg=Failed error=\"no memory\"", AgentFault.AgentFailed, "Failed: no memory")]
    [InlineData(1, "", AgentFault.AgentFailed, "said nothing")]
    [InlineData(2, "level=ERROR msg=Wrong error=\"no endpoint\"", AgentFault.ConfigurationInvalid, "no endpoint")]
    [InlineData(137, "beyla: exported 3 spans", AgentFault.AgentDied, "SIGKILL")]
    public void The_end_of_the_agent_is_judged(int code, string said, AgentFault? fault, string words)
    {
        var log = new AgentLog();
        var line = log.Add(Encoding.UTF8.GetBytes(said));
        var report = line is null ? null : ExportReport.Parse(line);

        var error = ExportReport.Judge(Command, 4711, code, report, log);

        Assert.Equal(fault, error?.Kind);
        Assert.Contains(words, error?.Message ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain é 😀")]
    [InlineData("\u001b[31m \u202e \u200b \u2028 \u007f")]
    [InlineData("\U000e0041 tag \ue000 private")]
    public void Json_is_made_safe_and_says_the_same(string value)
    {
        var json = $"{{\"a\":\"{value.Replace("\u001b", "\\u001b", StringComparison.Ordinal)}\"}}";

        var safe = Visible.Json(json);

        Assert.False(HiddenText.IsIn(safe));
        Assert.Equal(value, JsonDocument.Parse(safe).RootElement.GetProperty("a").GetString());
    }

    [Fact]
    public void A_page_is_made_safe_and_keeps_its_form()
    {
        // Inside a label a backslash is written twice (Prometheus, "Text format details").
        Assert.Equal("""a{b="\\u202ex\\x1b\\U000e0041"} 1""", Visible.Page("a{b=\"\u202ex\u001b\U000e0041\"} 1"));
        Assert.Equal("""a{b="x\\y\n\""} 1""", Visible.Page("""a{b="x\\y\n\""} 1"""));
    }
}

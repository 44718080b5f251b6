using System.Globalization;
using System.Text.RegularExpressions;

namespace Beyla.PowerShell.Agent;

/// <summary>The last line of <c>beyla export</c>: <c>beyla: exported 3 spans, lost 2: …</c>.</summary>
/// <param name="Exported">Spans that were delivered.</param>
/// <param name="Lost">Spans and lines that were not.</param>
/// <param name="Reason">Why; empty where nothing was lost.</param>
internal sealed partial record ExportReport(long Exported, long Lost, string Reason)
{
    private const int Delivered = 0, Failed = 1;

    /// <summary>The report that a line of the log is; null when it is none.</summary>
    internal static ExportReport? Parse(LogLine line)
    {
        if (!line.IsPlain || Form().Match(line.Message) is not { Success: true } match)
        {
            return null;
        }

        var lost = match.Groups["lost"];
        return long.TryParse(match.Groups["exported"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var exported)
            && long.TryParse(lost.Success ? lost.ValueSpan : "0", NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(exported, number, match.Groups["reason"].Value) : null;
    }

    /// <summary>What came of an export.</summary>
    /// <param name="command">What was started.</param>
    /// <param name="processId">Its process id.</param>
    /// <param name="code">The exit code, 128 + n for signal n; null when it still runs.</param>
    /// <param name="report">What it said at the end.</param>
    /// <param name="log">What it logged.</param>
    /// <returns>Null when nothing was lost; the report is there then.</returns>
    internal static AgentException? Judge(AgentCommand command, int processId, int? code, ExportReport? report, AgentLog log)
    {
        var again = $"Run it by hand to see all that it says: {command}";
        if (code is not (Delivered or Failed))
        {
            return AgentExit.Judge(command, processId, code, begun: true, asked: false, log);
        }

        if (report is { Lost: > 0 })
        {
            return new AgentException(
                AgentFault.SpansLost,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{report.Lost} of {report.Exported + report.Lost} spans were not exported: {report.Reason}"),
                "Export the same spans again when the cause is gone; -Verbose shows the agent's log.", report.Lost);
        }

        if (code == Failed)
        {
            var words = log.Explanation() is { } line ? AgentWords.InParameters(line.Text, command) : "it said nothing";
            return new AgentException(AgentFault.AgentFailed, $"The agent could not export: {words}", again, command.Path);
        }

        if (report is null)
        {
            return new AgentException(
                AgentFault.StreamInvalid, $"The agent '{command.Path}' ended without saying what it exported.",
                "Check with --version that it is the beyla agent of this module's version.", command.Path);
        }

        return null;
    }

    [GeneratedRegex("^beyla: exported (?<exported>[0-9]{1,18}) spans?(, lost (?<lost>[0-9]{1,18})(: (?<reason>.*))?)?$")]
    private static partial Regex Form();
}

using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Completion;

/// <summary>One proposal.</summary>
/// <param name="Value">What is inserted.</param>
/// <param name="Label">What the list shows.</param>
/// <param name="ToolTip">What it is.</param>
public sealed record Proposal(string Value, string Label, string ToolTip);

/// <summary>
/// Completes an argument. Needs no privilege, starts nothing, and never throws: the host is read as far as it may be read.
/// </summary>
public abstract class Completer : IArgumentCompleter
{
    private const int Most = 200;

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var word = (wordToComplete ?? "").Trim('\'', '"');
        return Find(word).Where(
            p => p.Value.StartsWith(word, StringComparison.OrdinalIgnoreCase) || p.Label.Contains(word, StringComparison.OrdinalIgnoreCase))
            .Take(Most).Select(Result).ToList();
    }

    /// <summary>What could be meant, whatever was typed so far; the base class picks what fits.</summary>
    /// <param name="word">What was typed so far.</param>
    protected abstract IEnumerable<Proposal> Find(string word);

    private static CompletionResult Result(Proposal proposal)
    {
        // Names of processes and files are chosen by others.
        var value = Visible.Text(proposal.Value);
        var plain = value.All(c => char.IsLetterOrDigit(c) || "_-./*:+".Contains(c, StringComparison.Ordinal));
        return new CompletionResult(
            plain ? value : "'" + value.Replace("'", "''", StringComparison.Ordinal) + "'", Visible.Text(proposal.Label),
            CompletionResultType.ParameterValue, Visible.Text(proposal.ToolTip));
    }
}

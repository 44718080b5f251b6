using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Beyla.Agent.Selection;

/// <summary>Regular expressions whose time grows with the text alone, as RE2 promises, which the peer uses.</summary>
internal static class SafeRegex
{
    private const int MaximumLength = 1024;

    // An end for expressions that repeat repetitions; not for a machine that is busy, on which every match takes its time.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Compiles an expression; look-around, back references and atomic groups are refused, as RE2 does.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Regex? expression, [NotNullWhen(false)] out string? error)
    {
        expression = null;
        if (text.Length > MaximumLength)
        {
            error = $"a regular expression has at most {MaximumLength} characters";
            return false;
        }

        if (text.Contains("[[:", StringComparison.Ordinal))
        {
            error = "classes such as [[:alpha:]] are not supported, use \\p{L} or [A-Za-z]";
            return false;
        }

        try
        {
            expression = new Regex(
                text.Replace("(?P<", "(?<", StringComparison.Ordinal),
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant,
                Patience);
            error = null;
            return true;
        }
        catch (ArgumentException failure)
        {
            error = "not a regular expression: " + failure.Message;
        }
        catch (NotSupportedException)
        {
            error = "look-around, back references, conditionals and atomic groups are not supported in regular expressions";
        }

        return false;
    }
}

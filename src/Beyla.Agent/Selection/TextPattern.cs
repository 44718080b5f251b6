using System.Text.RegularExpressions;

namespace Beyla.Agent.Selection;

/// <summary>
/// What a text may fit: a <see cref="Glob"/> or a <see cref="RegexPattern"/>. The time is bounded whatever pattern and text hold.
/// </summary>
public interface ITextPattern
{
    /// <summary>Whether the text fits.</summary>
    bool IsMatch(string text);
}

/// <summary>A regular expression that is found anywhere in a text, as the deprecated selectors of the peer have it.</summary>
/// <param name="expression">The expression, without backtracking (<see cref="SafeRegex"/>).</param>
public sealed class RegexPattern(Regex expression) : ITextPattern
{
    /// <inheritdoc/>
    public bool IsMatch(string text)
    {
        try
        {
            return expression.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            // The text is chosen by whoever starts the process: one that is too costly to compare is not selected.
            return false;
        }
    }

    /// <summary>The expression as it was written.</summary>
    public override string ToString() => expression.ToString();
}

using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Beyla.Agent.Selection;

/// <summary>The name of an interface, or a regular expression between slashes that is found in it.</summary>
public sealed class NamePattern
{
    private readonly RegexPattern? expression;

    private NamePattern(string text, RegexPattern? expression) => (Text, this.expression) = (text, expression);

    /// <summary>The entry as it was written.</summary>
    public string Text { get; }

    /// <summary>Whether the name is the one that was written, or the expression is found in it; case counts.</summary>
    public bool IsMatch(string name) => expression is null ? name == Text : expression.IsMatch(name);

    /// <summary>The entry as it was written.</summary>
    public override string ToString() => Text;

    /// <summary>Reads <c>eth0</c> or <c>/^br-/</c>.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out NamePattern? pattern, [NotNullWhen(false)] out string? error)
    {
        pattern = null;
        error = null;
        Regex? expression = null;
        if (text.Length > 2 && text[0] == '/' && text[^1] == '/' && !SafeRegex.TryParse(text[1..^1], out expression, out error))
        {
            return false;
        }

        pattern = new NamePattern(text, expression is null ? null : new RegexPattern(expression));
        return true;
    }
}

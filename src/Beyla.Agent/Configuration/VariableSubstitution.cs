using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Replaces <c>${VAR}</c>, <c>${env:VAR}</c> and <c>${VAR:-default}</c> in the text of a configuration file, before it is parsed, as the peer does.
/// <c>$${VAR}</c> stands for <c>${VAR}</c> itself.
/// </summary>
internal static class VariableSubstitution
{
    /// <summary>Replaces all variables. An empty variable counts as unset where there is a default.</summary>
    /// <param name="text">The text of the file.</param>
    /// <param name="origin">The name of the file, for problems.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="warnings">Gets a line for each variable that is neither set nor has a default.</param>
    /// <param name="problems">Gets a line for each variable that may not be used.</param>
    public static string Apply(
        string text, string origin, IReadOnlyDictionary<string, string> environment, List<string> warnings, List<string> problems)
    {
        if (!text.Contains("${", StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length + 64);
        var position = 0;
        var line = 1;
        while (position < text.Length)
        {
            if (text[position] == '\n')
                line++;
            if (text[position] != '$' || Reference(text, position, out var escaped, out var name, out var fallback) is not (> 0 and var length))
            {
                result.Append(text[position++]);
                continue;
            }

            if (escaped)
                result.Append(text, position + 1, length - 1);
            else
                result.Append(Value(name, fallback, $"{origin}:{line}", environment, warnings, problems));
            line += text.AsSpan(position, length).Count('\n');
            position += length;
        }

        return result.ToString();
    }

    private static string Value(string name, string? fallback, string place,
        IReadOnlyDictionary<string, string> environment, List<string> warnings, List<string> problems)
    {
        var value = environment.GetValueOrDefault(name, "");
        if (value.Length > 0)
        {
            // A line break could end the value and begin other settings.
            if (value.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0)
                return value;
            problems.Add($"{place}: the value of the variable {name} has a control character or a line break, which may not go into a configuration file");
            return "";
        }

        if (fallback is null && !environment.ContainsKey(name))
            warnings.Add($"{place}: the variable {name} is not set, ${{{name}}} is replaced by nothing; ${{{name}:-default}} gives a default");
        return fallback ?? "";
    }

    /// <summary>The length of the reference that begins at a <c>$</c>, or 0 when none does.</summary>
    private static int Reference(string text, int start, out bool escaped, out string name, out string? fallback)
    {
        (name, fallback) = ("", null);
        var position = start + 1;
        escaped = position < text.Length && text[position] == '$';
        if (escaped)
            position++;
        if (position >= text.Length || text[position] != '{')
            return 0;
        position++;
        if (text.AsSpan(position).StartsWith("env:"))
            position += 4;
        var first = position;
        while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_'))
            position++;
        if (position == first || position >= text.Length || char.IsAsciiDigit(text[first]))
            return 0;
        name = text[first..position];
        if (text.AsSpan(position).StartsWith(":-"))
        {
            var end = text.IndexOf('}', position);
            if (end < 0)
                return 0;
            fallback = text[(position + 2)..end];
            position = end;
        }

        return text[position] == '}' ? position + 1 - start : 0;
    }
}

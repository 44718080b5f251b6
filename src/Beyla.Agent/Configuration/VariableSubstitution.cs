using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Replaces <c>${VAR}</c>, <c>${env:VAR}</c> and <c>${VAR:-default}</c> in the text of a configuration file, before it is parsed, as the
/// peer does. <c>$${VAR}</c> stands for <c>${VAR}</c> itself. Comments stay as they are. Its time grows with the text, its result is
/// bounded.
/// </summary>
internal static class VariableSubstitution
{
    /// <summary>Replaces all variables. An empty variable counts as unset where there is a default.</summary>
    /// <param name="text">The text of the file.</param>
    /// <param name="origin">The name of the file, for problems.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="warnings">Gets a line for each variable that is neither set nor has a default, for its first place.</param>
    /// <exception cref="ConfigurationException">A variable may not be used, or the text becomes longer than a file may be.</exception>
    public static string Apply(string text, string origin, IReadOnlyDictionary<string, string> environment, MessageList warnings)
    {
        if (!text.Contains("${", StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length + 64);
        var comments = new YamlComments(text);
        var told = new HashSet<string>(StringComparer.Ordinal);
        var problems = new MessageList();
        var references = new References(text);
        var line = 1;
        for (var position = 0; position < text.Length;)
        {
            if (text[position] == '$' && !comments.Read(position)
                && references.At(position, out var escaped, out var name, out var fallback) is > 0 and var length)
            {
                var value = escaped
                    ? text.AsSpan(position + 1, length - 1)
                    : Value(name, fallback, $"{origin}:{line}", environment, told, warnings, problems);
                if (result.Length + value.Length > ConfigurationFile.MaximumSize)
                {
                    throw new ConfigurationException(
                        $"{origin}:{line}: with its variables replaced the text has more than {ConfigurationFile.MaximumSize} characters; "
                        + $"{(escaped ? "the text" : "the variable " + name)} here has {value.Length}");
                }

                result.Append(value);
                line += text.AsSpan(position, length).Count('\n');
                position += length;
                comments.Pass();
                continue;
            }

            if (text[position] == '\n')
            {
                line++;
            }

            if (text[position] != '$')
            {
                comments.Read(position);
            }

            result.Append(text[position++]);
        }

        return problems.Total == 0 ? result.ToString() : throw new ConfigurationException([.. problems]);
    }

    private static ReadOnlySpan<char> Value(
        string name, string? fallback, string place, IReadOnlyDictionary<string, string> environment,
        HashSet<string> told, MessageList warnings, MessageList problems)
    {
        var value = environment.GetValueOrDefault(name, "");
        if (value.Length > 0)
        {
            // A line break could end the value and begin other settings.
            if (value.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0)
            {
                return value;
            }

            if (told.Add(name))
            {
                problems.Add(
                    $"{place}: the value of the variable {name} has a control character or a line break, "
                    + "which may not go into a configuration file");
            }

            return "";
        }

        if (fallback is null && !environment.ContainsKey(name) && told.Add(name))
        {
            warnings.Add(
                $"{place}: the variable {name} is not set, ${{{name}}} is replaced by nothing; ${{{name}:-default}} gives a default");
        }

        return fallback;
    }

    /// <summary>Reads references at their <c>$</c>.</summary>
    private sealed class References(string text)
    {
        private bool noneCloses;

        /// <summary>The length of the reference that begins there, or 0 when none does.</summary>
        public int At(int start, out bool escaped, out string name, out string? fallback)
        {
            (name, fallback) = ("", null);
            var position = start + 1;
            escaped = position < text.Length && text[position] == '$';
            if (escaped)
            {
                position++;
            }

            if (position >= text.Length || text[position] != '{')
            {
                return 0;
            }

            position++;
            if (text.AsSpan(position).StartsWith("env:"))
            {
                position += 4;
            }

            var first = position;
            while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_'))
            {
                position++;
            }

            if (position == first || position >= text.Length || char.IsAsciiDigit(text[first]))
            {
                return 0;
            }

            name = text[first..position];
            if (text.AsSpan(position).StartsWith(":-"))
            {
                // Looked for once: a text of many beginnings and no end is not read to its end for each.
                var end = noneCloses ? -1 : text.IndexOf('}', position);
                noneCloses = end < 0;
                if (end < 0)
                {
                    return 0;
                }

                fallback = text[(position + 2)..end];
                position = end;
            }

            return text[position] == '}' ? position + 1 - start : 0;
        }
    }
}

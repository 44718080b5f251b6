using System.Globalization;
using System.Text;

namespace Beyla.Agent.Capabilities;

/// <summary>Text for a command line that a user may copy into a POSIX shell.</summary>
internal static class ShellText
{
    /// <summary>The word, in single quotes where it has anything that a shell could read otherwise.</summary>
    internal static string Quote(string word) =>
        word.Length > 0
        && word.All(character => char.IsAsciiLetterOrDigit(character) || "/._-+,:@%=".Contains(character, StringComparison.Ordinal))
            ? word
            : word.Any(char.IsControl) ? Escaped(word)
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    // Dollar-single-quotes (POSIX.1-2024, bash, zsh): a control character would reach the terminal otherwise.
    private static string Escaped(string word)
    {
        var text = new StringBuilder("$'");
        foreach (var unit in Encoding.UTF8.GetBytes(word))
        {
            var character = (char)unit;
            _ = unit is < 0x20 or >= 0x7f ? text.Append(CultureInfo.InvariantCulture, $"\\{Convert.ToString(unit, 8).PadLeft(3, '0')}")
                : character is '\'' or '\\' ? text.Append('\\').Append(character)
                : text.Append(character);
        }

        return text.Append('\'').ToString();
    }
}

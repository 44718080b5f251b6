namespace Beyla.Agent.Capabilities;

/// <summary>Text for a command line that a user may copy into a POSIX shell.</summary>
internal static class ShellText
{
    /// <summary>The word, in single quotes where it has anything that a shell could read otherwise.</summary>
    internal static string Quote(string word) =>
        word.Length > 0 && word.All(character => char.IsAsciiLetterOrDigit(character) || "/._-+,:@%=".Contains(character, StringComparison.Ordinal))
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}

using System.Text;
using System.Text.RegularExpressions;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>
/// What of a text is outside of literals and comments by PostgreSQL's manual (4.1), one byte at a time and without any thought of speed:
/// the ruler for texts that nobody wrote by hand. Numbers are left in; quoted names that have no end are not.
/// </summary>
internal static partial class SqlReference
{
    public static string Outside(string sql)
    {
        var shown = new StringBuilder();
        var i = 0;
        while (i < sql.Length)
        {
            var rest = sql[i..];
            if (rest.StartsWith("--", StringComparison.Ordinal))
            {
                i += LineLength(rest);
            }
            else if (rest.StartsWith("/*", StringComparison.Ordinal))
            {
                i += CommentLength(rest);
            }
            else if (NumberLength(rest) is > 0 and var digits)
            {
                shown.Append(rest[..digits]);
                i += digits;
            }
            else if (IsLetter(rest[0]))
            {
                var word = new string([.. rest.TakeWhile(IsName)]);
                var behind = rest[word.Length..];
                if (word is "E" or "e" && behind.StartsWith('\''))
                {
                    i += 1 + StringLength(behind, true);
                }
                else if (word is "B" or "b" or "X" or "x" or "N" or "n" && behind.StartsWith('\''))
                {
                    i += 1 + StringLength(behind, false);
                }
                else if (word is "U" or "u" && behind.StartsWith("&'", StringComparison.Ordinal))
                {
                    i += 2 + StringLength(behind[1..], false);
                }
                else
                {
                    shown.Append(word);
                    i += word.Length;
                }
            }
            else if (rest[0] == '\'')
            {
                i += StringLength(rest, false);
            }
            else if (rest[0] == '"')
            {
                var length = QuoteLength(rest, '"', false);
                shown.Append(length < 0 ? "" : rest[..length]);
                i += length < 0 ? rest.Length : length;
            }
            else if (rest[0] == '$' && DollarTag(rest) is { } tag)
            {
                var end = rest.IndexOf(tag, tag.Length, StringComparison.Ordinal);
                i += end < 0 ? rest.Length : end + tag.Length;
            }
            else
            {
                shown.Append(rest[0]);
                i++;
            }
        }

        return shown.ToString();
    }

    private static bool IsLetter(char c) => char.IsAsciiLetter(c) || c == '_' || c >= 0x80;

    private static bool IsName(char c) => IsLetter(c) || char.IsAsciiDigit(c) || c == '$';

    /// <summary>Of a number without its exponent, or of a place for a value.</summary>
    private static int NumberLength(string rest) => Number().Match(rest).Length;

    [GeneratedRegex(@"^(0[xX][0-9a-fA-F]+(_[0-9a-fA-F]+)*|0[oObB][0-9]+(_[0-9]+)*|[0-9]+(_[0-9]+)*|\$[0-9]+)")]
    private static partial Regex Number();

    private static int LineLength(string rest)
    {
        var end = rest.IndexOfAny(['\n', '\r']);
        return end < 0 ? rest.Length : end;
    }

    private static int CommentLength(string rest)
    {
        var depth = 1;
        var i = 2;
        while (depth > 0 && i < rest.Length)
        {
            var pair = rest.Substring(i, Math.Min(2, rest.Length - i));
            depth += pair == "/*" ? 1 : pair == "*/" ? -1 : 0;
            i += pair is "/*" or "*/" ? 2 : 1;
        }

        return i;
    }

    /// <summary>With all the parts that stand on other lines.</summary>
    private static int StringLength(string rest, bool escapes)
    {
        var length = QuoteLength(rest, '\'', escapes);
        if (length < 0)
        {
            return rest.Length;
        }

        var i = length;
        var line = false;
        while (i < rest.Length)
        {
            if (rest[i..].StartsWith("--", StringComparison.Ordinal))
            {
                i += LineLength(rest[i..]);
            }
            else if (" \t\n\r\f\v\0".Contains(rest[i], StringComparison.Ordinal))
            {
                line |= rest[i] is '\n' or '\r';
                i++;
            }
            else
            {
                return line && rest[i] == '\'' ? i + StringLength(rest[i..], escapes) : length;
            }
        }

        return length;
    }

    private static int QuoteLength(string rest, char quote, bool escapes)
    {
        var i = 1;
        while (i < rest.Length)
        {
            if (rest[i] == '\\' && escapes)
            {
                i += 2;
            }
            else if (rest[i] != quote)
            {
                i++;
            }
            else if (i + 1 < rest.Length && rest[i + 1] == quote)
            {
                i += 2;
            }
            else
            {
                return i + 1;
            }
        }

        return -1;
    }

    /// <summary>All that is left where the text ends inside of the tag: it may begin a literal.</summary>
    private static string? DollarTag(string rest)
    {
        var name = new string([.. rest.Skip(1).TakeWhile(c => IsName(c) && c != '$')]);
        var closes = rest.Length > name.Length + 1 && rest[name.Length + 1] == '$';
        var begins = name.Length == 0 || IsLetter(name[0]);
        return !begins ? null : closes ? $"${name}$" : name.Length > 0 && name.Length + 1 == rest.Length ? rest : null;
    }
}

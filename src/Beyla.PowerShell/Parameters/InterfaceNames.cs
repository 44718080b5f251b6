using System.Text;

namespace Beyla.PowerShell.Parameters;

/// <summary>
/// Names of interfaces as people write them in PowerShell: with wildcards, which the agent reads as a regular
/// expression between slashes.
/// </summary>
public static class InterfaceNames
{
    /// <summary>
    /// A name or /regular expression/ stays as it is; <c>l*</c>, <c>eth?</c> and <c>eth[01]</c> become <c>/^l.*$/</c> and the like.
    /// Case counts, as for the kernel.
    /// </summary>
    public static string ToPattern(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.IndexOfAny(['*', '?', '[']) < 0 || (name.Length > 2 && name[0] == '/' && name[^1] == '/'))
        {
            return name;
        }

        var pattern = new StringBuilder("/^");
        for (var i = 0; i < name.Length; i++)
        {
            var end = name[i] == '[' ? name.IndexOf(']', i + 1) : -1;
            if (end > i + 1)
            {
                pattern.Append('[');
                for (i++; i < end; i++)
                {
                    pattern.Append(name[i] == '-' ? "-" : Literal(name[i]));
                }

                pattern.Append(']');
                continue;
            }

            pattern.Append(name[i] switch { '*' => ".*", '?' => ".", var c => Literal(c) });
        }

        return pattern.Append("$/").ToString();
    }

    // A comma would divide the list that the agent is given.
    private static string Literal(char c) => char.IsAsciiLetterOrDigit(c) || c == '_' || c > 0x7f ? c.ToString()
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
}

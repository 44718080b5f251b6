using System.Text;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Parameters;

/// <summary>Globs as the agent reads them: several become the alternatives of one, <c>{a,b}</c>.</summary>
public static class Globs
{
    /// <summary>One glob that fits what one of them fits; null for none.</summary>
    /// <exception cref="AgentException">One ends with a backslash that escapes nothing, which would change the
    /// one after it.</exception>
    public static string? Join(IReadOnlyList<string>? globs) => globs switch
    {
        null or [] => null,
        [var only] => only,
        _ => "{" + string.Join(',', globs.Select(Alternative)) + "}",
    };

    /// <summary>Whether a glob cannot fit a full path, which begins with a slash: a bare name, mostly.</summary>
    public static bool FitsNoPath(string glob)
    {
        ArgumentNullException.ThrowIfNull(glob);
        return glob.Length > 0 && !"/*?[{\\".Contains(glob[0], StringComparison.Ordinal);
    }

    // By itself a glob takes , and } outside of braces as they are; between braces they divide and end.
    private static string Alternative(string glob)
    {
        var text = new StringBuilder();
        var (depth, set) = (0, false);
        for (var i = 0; i < glob.Length; i++)
        {
            var c = glob[i];
            if (c == '\\')
            {
                if (++i == glob.Length)
                {
                    throw new AgentException(
                        AgentFault.ConfigurationInvalid,
                        $"The glob '{Visible.Text(glob)}' ends with a backslash that escapes nothing.",
                        "Write two for a backslash.", glob);
                }

                text.Append(c).Append(glob[i]);
                continue;
            }

            // The first character of a set may be a ] that belongs to it.
            if (set)
            {
                set = c != ']' || glob[i - 1] == '[' || (glob[i - 1] is '!' or '^' && i > 1 && glob[i - 2] == '[');
            }
            else if (c == '[')
            {
                set = true;
            }
            else if (c == '{')
            {
                depth++;
            }
            else if (depth == 0 && (c is ',' or '}'))
            {
                text.Append('\\');
            }
            else if (c == '}')
            {
                depth--;
            }

            text.Append(c);
        }

        return text.ToString();
    }
}

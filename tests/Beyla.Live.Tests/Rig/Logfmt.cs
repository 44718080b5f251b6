using System.Text;

namespace Beyla.Live.Tests.Rig;

/// <summary>Reads the agent's log lines: <c>time=… level=INFO msg="…" key=value</c>.</summary>
internal static class Logfmt
{
    /// <summary>The pairs of one line; a line that is no logfmt has none.</summary>
    public static Dictionary<string, string> Parse(string line)
    {
        Dictionary<string, string> pairs = new(StringComparer.Ordinal);
        int at = 0;
        while (at < line.Length)
        {
            int equals = line.IndexOf('=', at);
            if (equals < 0)
                break;
            string key = line[at..equals].Trim();
            at = equals + 1;
            pairs[key] = at < line.Length && line[at] == '"' ? Quoted(line, ref at) : Bare(line, ref at);
        }

        return pairs;
    }

    private static string Bare(string line, ref int at)
    {
        int end = line.IndexOf(' ', at);
        end = end < 0 ? line.Length : end;
        string value = line[at..end];
        at = end + 1;
        return value;
    }

    private static string Quoted(string line, ref int at)
    {
        StringBuilder value = new();
        for (at++; at < line.Length && line[at] != '"'; at++)
        {
            if (line[at] == '\\' && at + 1 < line.Length)
                at++;
            value.Append(line[at]);
        }

        at += 2;
        return value.ToString();
    }
}

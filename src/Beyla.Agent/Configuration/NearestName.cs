namespace Beyla.Agent.Configuration;

/// <summary>Finds what a misspelt name was meant to be.</summary>
public static class NearestName
{
    private const int MaximumLength = 128;

    /// <summary>The candidate with the fewest changed characters, or null when none is near; the first of several.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        if (name.Length > MaximumLength)
        {
            return null;
        }

        string? nearest = null;
        var best = Math.Clamp(name.Length / 4, 1, 4) + 1;
        foreach (var candidate in candidates)
        {
            if (Math.Abs(candidate.Length - name.Length) >= best)
            {
                continue;
            }

            var distance = Distance(name, candidate);
            if (distance < best)
            {
                (nearest, best) = (candidate, distance);
            }
        }

        return nearest;
    }

    /// <summary>Insertions, removals, replacements and swaps of neighbours that make one text the other; case does not count.</summary>
    public static int Distance(string left, string right)
    {
        var beforeLast = new int[right.Length + 1];
        var last = new int[right.Length + 1];
        var row = new int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++)
        {
            last[j] = j;
        }

        for (var i = 1; i <= left.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var same = Equal(left[i - 1], right[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j - 1], last[j]) + 1, last[j - 1] + same);
                if (i > 1 && j > 1 && Equal(left[i - 1], right[j - 2]) && Equal(left[i - 2], right[j - 1]))
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }

            (beforeLast, last, row) = (last, row, beforeLast);
        }

        return last[right.Length];
    }

    private static bool Equal(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}

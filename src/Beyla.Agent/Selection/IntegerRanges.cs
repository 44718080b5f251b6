using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Beyla.Agent.Selection;

/// <summary>An inclusive range of integers; a single value is a range of one.</summary>
public readonly record struct IntegerRange(int First, int Last);

/// <summary>
/// A set of integers written as single values and inclusive ranges, <c>80,443,8000-8999</c>: ports and process ids.
/// </summary>
public sealed class IntegerRanges
{
    /// <summary>More entries than this are refused: each rule is compared with each process.</summary>
    public const int MaximumEntries = 1024;

    private readonly IntegerRange[] ranges;

    private IntegerRanges(IntegerRange[] ranges) => this.ranges = ranges;

    /// <summary>The set that holds nothing.</summary>
    public static IntegerRanges None { get; } = new([]);

    /// <summary>Whether the set holds nothing.</summary>
    public bool IsEmpty => ranges.Length == 0;

    /// <summary>The ranges in the order in which they were written.</summary>
    public IReadOnlyList<IntegerRange> Ranges => ranges;

    /// <summary>Whether a range holds the number.</summary>
    public bool Contains(int value)
    {
        foreach (var range in ranges)
        {
            if (value >= range.First && value <= range.Last)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads <c>80,443,8000-8999</c>. Empty text is the empty set.</summary>
    /// <param name="text">The list.</param>
    /// <param name="minimum">Smallest value allowed.</param>
    /// <param name="maximum">Largest value allowed.</param>
    /// <param name="result">The set.</param>
    /// <param name="error">What is wrong with which entry, without the name of the key.</param>
    public static bool TryParse(
        string text, int minimum, int maximum, [NotNullWhen(true)] out IntegerRanges? result, [NotNullWhen(false)] out string? error)
    {
        result = null;
        if (string.IsNullOrWhiteSpace(text))
        {
            (result, error) = (None, null);
            return true;
        }

        var entries = text.Split(',');
        if (entries.Length > MaximumEntries)
        {
            error = $"{entries.Length} entries, at most {MaximumEntries} are allowed";
            return false;
        }

        var parsed = new IntegerRange[entries.Length];
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = entries[i].AsSpan().Trim();
            var dash = entry.IndexOf('-');
            var firstText = dash < 0 ? entry : entry[..dash].TrimEnd();
            var lastText = dash < 0 ? entry : entry[(dash + 1)..].TrimStart();
            if (!TryNumber(firstText, out var first) || !TryNumber(lastText, out var last))
            {
                error = $"\"{entry}\" is neither a number nor a range such as 8000-8999";
            }
            else if (first < minimum || last > maximum || first > maximum || last < minimum)
            {
                error = $"\"{entry}\" is outside {minimum}-{maximum}";
            }
            else if (first > last)
            {
                error = $"the range \"{entry}\" ends before it starts";
            }
            else
            {
                parsed[i] = new IntegerRange(first, last);
                continue;
            }

            return false;
        }

        (result, error) = (new IntegerRanges(parsed), null);
        return true;
    }

    /// <summary>The set in the notation that <see cref="TryParse"/> reads.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var range in ranges)
        {
            if (text.Length > 0)
            {
                text.Append(',');
            }

            text.Append(CultureInfo.InvariantCulture, $"{range.First}");
            if (range.Last != range.First)
            {
                text.Append(CultureInfo.InvariantCulture, $"-{range.Last}");
            }
        }

        return text.ToString();
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}

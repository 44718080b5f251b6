using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Beyla.Agent.Selection;

/// <summary>
/// Tells whether values meet a <see cref="ValueCondition"/>. One thread. Does not allocate for a pattern without wildcards or with one
/// <c>*</c>, nor for a value that was asked for lately: those are remembered, up to a bound, whoever sends them.
/// </summary>
/// <param name="condition">What they must be.</param>
public sealed class ValueTest(ValueCondition condition)
{
    /// <summary>Bytes of all values that are remembered; when they are more, all are forgotten.</summary>
    internal const int MaximumKept = 256 * 1024;

    /// <summary>A longer value is not remembered.</summary>
    internal const int LongestKept = 8 * 1024;

    /// <summary>What one costs besides its bytes, roughly: so that many short ones are bounded too.</summary>
    private const int EntryCost = 64;

    private static readonly SearchValues<char> Special = SearchValues.Create(@"?[]{}\");

    private readonly Glob? pattern = condition.Pattern;
    private readonly NumberComparison[] comparisons = [.. condition.Comparisons];
    private readonly (byte[] Start, byte[] End, bool IsWhole)? simple = Simple(condition.Pattern?.Pattern);
    private readonly Dictionary<byte[], bool> known = new(Utf8Comparer.Instance);
    private int kept;

    /// <summary>Values that are remembered.</summary>
    internal int Count => known.Count;

    /// <summary>Whether a text meets the condition.</summary>
    /// <param name="value">UTF-8, or what was captured in its place; empty where there is none.</param>
    public bool Holds(ReadOnlySpan<byte> value) => pattern is null || Fits(value) != condition.IsNegated;

    /// <summary>Whether a number meets the condition; as a text it is its decimal digits.</summary>
    /// <param name="value">Null where there is none: then it is the empty text.</param>
    public bool Holds(long? value)
    {
        foreach (var comparison in comparisons)
        {
            if (!comparison.Holds(value))
            {
                return false;
            }
        }

        if (pattern is null)
        {
            return true;
        }

        Span<byte> digits = stackalloc byte[20];
        var length = 0;
        _ = value is { } number && Utf8Formatter.TryFormat(number, digits, out length);
        return Holds(digits[..length]);
    }

    private bool Fits(ReadOnlySpan<byte> value)
    {
        if (simple is var (start, end, isWhole))
        {
            return isWhole ? value.SequenceEqual(start)
                : value.Length >= start.Length + end.Length && value.StartsWith(start) && value.EndsWith(end);
        }

        var lookup = known.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(value, out var fits))
        {
            return fits;
        }

        fits = pattern!.IsMatch(Encoding.UTF8.GetString(value));
        if (value.Length > LongestKept)
        {
            return fits;
        }

        kept += value.Length + EntryCost;
        if (kept > MaximumKept)
        {
            known.Clear();
            kept = value.Length + EntryCost;
        }

        lookup[value] = fits;
        return fits;
    }

    /// <summary>Takes a pattern apart that is a text, or one with a star in it; null for others.</summary>
    private static (byte[] Start, byte[] End, bool IsWhole)? Simple(string? text)
    {
        if (text is null || text.AsSpan().ContainsAny(Special))
        {
            return null;
        }

        var star = text.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
        {
            return (Encoding.UTF8.GetBytes(text), [], true);
        }

        return text.LastIndexOf('*') == star
            ? (Encoding.UTF8.GetBytes(text[..star]), Encoding.UTF8.GetBytes(text[(star + 1)..]), false) : null;
    }

    /// <summary>By content. The hash has a seed of the process's own, so that nobody can send values that collide.</summary>
    private sealed class Utf8Comparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly Utf8Comparer Instance = new();

        /// <inheritdoc/>
        public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

        /// <inheritdoc/>
        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        /// <inheritdoc/>
        public int GetHashCode(byte[] value) => GetHashCode(value.AsSpan());

        /// <inheritdoc/>
        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        /// <inheritdoc/>
        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}

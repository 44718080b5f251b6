using System.Buffers;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// Guesses the route of a path, <c>routes.unmatched: heuristic</c>: segments that are values become the wildcard. What a segment looks like
/// decides (<see cref="SegmentShape"/>), and where words and names look the same, where it stands: behind the name of a collection
/// (<c>users</c>) comes an item, unless it is a word that APIs put there (<c>search</c>), or a collection in its turn. Allocates nothing.
/// </summary>
internal static class HeuristicRoute
{
    /// <summary>What stands behind so many segments is one wildcard.</summary>
    public const int MaximumSegments = 16;

    private static readonly SearchValues<byte> Decimal = SearchValues.Create("0123456789."u8), Dated = SearchValues.Create("0123456789-"u8);

    /// <summary>Writes the route; one that is too long for the room ends in a wildcard.</summary>
    /// <param name="path">The path as on the wire; begins with a slash.</param>
    /// <param name="wildcard">What stands for a value.</param>
    /// <param name="route">At least 4 bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(ReadOnlySpan<byte> path, byte wildcard, Span<byte> route)
    {
        var (length, count) = (0, 0);
        ReadOnlySpan<byte> before = default;
        var segments = new PathSegments(path);
        while (segments.MoveNext())
        {
            var segment = segments.Current;
            var isValue = IsValue(segment, before, segments.Next, isFirst: count == 0);
            before = isValue ? default : segment;
            // The slash, and room for the wildcard of the rest.
            if (++count > MaximumSegments || length + 1 + (isValue ? 1 : segment.Length) + 2 > route.Length)
            {
                route[length++] = (byte)'/';
                route[length++] = wildcard;
                return length;
            }

            route[length++] = (byte)'/';
            if (isValue)
            {
                route[length++] = wildcard;
            }
            else
            {
                segment.CopyTo(route[length..]);
                length += segment.Length;
            }
        }

        if (length == 0)
        {
            route[length++] = (byte)'/';
        }

        return length;
    }

    private static bool IsValue(ReadOnlySpan<byte> segment, ReadOnlySpan<byte> before, ReadOnlySpan<byte> next, bool isFirst) =>
        SegmentShape.Of(segment) switch
        {
            SegmentKind.Value => true,
            SegmentKind.Version => false,
            // /2/tweets, /2010-04-01/Accounts, /rest/api/3/issue.
            SegmentKind.Number => next.IsEmpty || !(isFirst ? IsShortVersion(segment) || IsDate(segment)
                : ApiWords.IsBeforeVersion(before) && IsShortVersion(segment)),
            // An underscore or a dot in front marks what is the server's own: _search, .well-known.
            _ => segment[0] is not ((byte)'_' or (byte)'.') && ApiWords.IsCollection(before) && !ApiWords.IsKnown(segment)
                && !IsCollectionItself(segment, next),
        };

    /// <summary>/notifications/threads/1: a collection inside another, which what stands behind it tells.</summary>
    private static bool IsCollectionItself(ReadOnlySpan<byte> segment, ReadOnlySpan<byte> next) =>
        !next.IsEmpty && ApiWords.IsCollection(segment) && SegmentShape.Of(next) is (SegmentKind.Value or SegmentKind.Number);

    /// <summary>One or two digits, or two such numbers with a dot: 3, 1.1.</summary>
    private static bool IsShortVersion(ReadOnlySpan<byte> segment) =>
        segment.Length <= 2 ? !segment.ContainsAnyExceptInRange((byte)'0', (byte)'9')
        : segment.Length <= 5 && segment.IndexOf((byte)'.') is 1 or 2
            && segment.Count((byte)'.') == 1 && !segment.ContainsAnyExcept(Decimal);

    private static bool IsDate(ReadOnlySpan<byte> segment) =>
        segment.Length == 10 && segment[4] == '-' && segment[7] == '-' && segment.Count((byte)'-') == 2
        && !segment.ContainsAnyExcept(Dated);
}

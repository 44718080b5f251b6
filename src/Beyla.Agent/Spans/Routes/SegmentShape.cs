using System.Buffers;

namespace Beyla.Agent.Spans.Routes;

/// <summary>What a segment of a path looks like, by itself.</summary>
internal enum SegmentKind : byte
{
    /// <summary>A word, or several; of the API or a name: what stands around it tells (<see cref="HeuristicRoute"/>).</summary>
    Word,

    /// <summary>The version of an API: v1, v2beta1, v1.43.</summary>
    Version,

    /// <summary>A number or a date, which may be the version of an API where versions stand.</summary>
    Number,

    /// <summary>A value: an identity, a hash, an address, an encoded text.</summary>
    Value,
}

/// <summary>
/// Tells by its characters alone whether a segment of a path is a value: numbers, dates, UUIDs, hexadecimal, Base64, mail addresses,
/// escaped and non-ASCII texts, words with digits other than the known ones (<see cref="ApiWords"/>), and letters that no language puts
/// together. No tables of probabilities: each rule can be said in a sentence (docs/routes.md). Allocates nothing.
/// </summary>
internal static class SegmentShape
{
    /// <summary>Longer ones are values, whatever they are made of; so are words of more letters than <see cref="MaximumWord"/>.</summary>
    private const int MaximumLength = 64, MaximumWord = 32;

    /// <summary>So many letters without a vowel are no word ("strengths" has five in ten).</summary>
    private const int Consonants = 6;

    private static readonly SearchValues<byte> Separators = SearchValues.Create("-_.~:,+!()'$"u8);
    private static readonly SearchValues<byte> Numeric = SearchValues.Create("0123456789-.,:+TZ"u8);
    private static readonly SearchValues<byte> Foreign = SearchValues.Create("%@=|&"u8);

    /// <summary>The shape of a segment, which is not empty.</summary>
    public static SegmentKind Of(ReadOnlySpan<byte> segment)
    {
        if (segment.Length > MaximumLength || segment.ContainsAny(Foreign) || segment.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
        {
            return SegmentKind.Value;
        }

        if (!segment.ContainsAnyInRange((byte)'0', (byte)'9'))
        {
            return IsSpoken(segment) ? SegmentKind.Word : SegmentKind.Value;
        }

        if (!segment.ContainsAnyExcept(Numeric))
        {
            return SegmentKind.Number;
        }

        return IsVersion(segment) ? SegmentKind.Version : AreKnown(segment) ? SegmentKind.Word : SegmentKind.Value;
    }

    /// <summary>v1, v2beta1, v1.43, v1p1beta1, v2.json.</summary>
    private static bool IsVersion(ReadOnlySpan<byte> segment)
    {
        if (segment.Length is < 2 or > 12 || (segment[0] | 0x20) != 'v' || !char.IsAsciiDigit((char)segment[1]))
        {
            return false;
        }

        var rest = segment[1..].TrimStart("0123456789."u8);
        if (rest.Length > 1 && rest[0] == 'p' && char.IsAsciiDigit((char)rest[1]))
        {
            rest = rest[1..].TrimStart("0123456789"u8);
        }

        foreach (var mark in (ReadOnlySpan<string>)["alpha", "beta", "rc", ".json"])
        {
            if (rest.Length >= mark.Length && System.Text.Ascii.Equals(rest[..mark.Length], mark))
            {
                rest = rest[mark.Length..].TrimStart("0123456789"u8);
                break;
            }
        }

        // A long number behind the v is an identity.
        var digits = segment[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return rest.IsEmpty && (digits < 0 ? segment.Length - 1 : digits) <= 3;
    }

    /// <summary>Whether each part with digits is a known word (oauth2), and the others are spoken.</summary>
    private static bool AreKnown(ReadOnlySpan<byte> segment)
    {
        foreach (var range in segment.SplitAny(Separators))
        {
            var part = segment[range];
            if (part.ContainsAnyInRange((byte)'0', (byte)'9') ? !ApiWords.HasDigits(part) : !IsSpoken(part))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Whether letters could be words: not too many without a vowel, not too many humps of upper case for their number, not too long.
    /// </summary>
    private static bool IsSpoken(ReadOnlySpan<byte> segment)
    {
        var (silent, humps, word) = (0, 0, 0);
        var previous = (byte)0;
        foreach (var letter in segment)
        {
            if (!char.IsAsciiLetter((char)letter))
            {
                (silent, word, humps) = (0, 0, 0);
                previous = 0;
                continue;
            }

            var isUpper = letter < 'a';
            // A hump of camel case is a word of its own.
            var isHump = isUpper && previous >= 'a';
            humps += isHump ? 1 : 0;
            silent = "aeiouyAEIOUY"u8.Contains(letter) ? 0 : isHump ? 1 : silent + 1;
            word++;
            previous = letter;
            if (silent >= Consonants || word > MaximumWord || (humps >= 3 && humps * 3 > word))
            {
                return false;
            }
        }

        return true;
    }
}

using System.Buffers;
using System.Globalization;

namespace Beyla.Agent.Spans;

/// <summary>
/// Reads a <c>traceparent</c> (W3C Trace Context level 2, section 3.2: https://www.w3.org/TR/trace-context-2/#traceparent-header):
/// <c>version-traceid-parentid-flags</c> in lower-case hexadecimal.
/// </summary>
public static class TraceParent
{
    /// <summary>Bytes of a value of version 00, and the fewest of any later one.</summary>
    public const int Length = 55;

    private const int TraceAt = 3, ParentAt = 36, FlagsAt = 53;

    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789abcdef"u8);

    /// <summary>Reads a value without the blanks around it.</summary>
    /// <param name="value">As it was sent; anything may stand there.</param>
    /// <param name="context">
    /// The trace, its flags, and as <see cref="TraceContext.ParentId"/> the span that sent it; it has no identity of its own.
    /// </param>
    /// <returns>
    /// False where the recommendation says that the header is to be ignored: another length, upper case, version ff, an identity of
    /// zeros, or more behind a version 00. A later version may have more behind a dash (section 3.2.4).
    /// </returns>
    public static bool TryParse(ReadOnlySpan<byte> value, out TraceContext context)
    {
        context = default;
        if (value.Length < Length || value[2] != '-' || value[ParentAt - 1] != '-' || value[FlagsAt - 1] != '-'
            || !TryHex(value[..2], out var version) || version == 0xff
            || (value.Length > Length && (version == 0 || value[Length] != '-'))
            || !TryHex(value.Slice(TraceAt, 16), out var high) || !TryHex(value.Slice(TraceAt + 16, 16), out var low)
            || !TryHex(value.Slice(ParentAt, 16), out var parent) || !TryHex(value.Slice(FlagsAt, 2), out var flags)
            || (high | low) == 0 || parent == 0)
        {
            return false;
        }

        context = new TraceContext
        {
            TraceHigh = high, TraceLow = low, ParentId = parent, Source = ParentSource.Header,
            // Of a later version only the flag that is known (section 3.2.4); of this one, both of level 2.
            Flags = (byte)(flags & (version == 0 ? 0xfful : TraceContext.Sampled)),
        };
        return true;
    }

    /// <summary>As any reader of hexadecimal numbers, but that upper case is none.</summary>
    private static bool TryHex(ReadOnlySpan<byte> digits, out ulong number)
    {
        number = 0;
        return !digits.ContainsAnyExcept(Digits)
            && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }
}

using System.Collections.Frozen;

namespace Beyla.Agent.Export;

/// <summary>
/// Replaces the values of sensitive query parameters by <c>***</c>. Names are compared without case, percent-decoded once as a server would
/// do; of a nested name (<c>user[password]</c>) the last part in brackets counts, of a list (<c>token[]</c>) the part before it.
/// Parameters end at <c>&amp;</c> and <c>;</c>. Does not allocate.
/// </summary>
public sealed class Redactor
{
    /// <summary>Names longer than this (decoded) are in no list.</summary>
    private const int LongestName = 128;

    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> sensitive;
    private readonly bool idle;

    /// <param name="parameters">Names of sensitive parameters, case does not matter.</param>
    public Redactor(IReadOnlySet<string> parameters)
    {
        sensitive = parameters.ToFrozenSet(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();
        idle = parameters.Count == 0;
    }

    /// <summary>What takes the place of a sensitive value.</summary>
    public static ReadOnlySpan<byte> Mark => "***"u8;

    /// <summary>The query without sensitive values.</summary>
    /// <param name="query">As captured, without the question mark.</param>
    /// <param name="scratch">Used when something is replaced; what does not fit is cut, never shown unredacted.</param>
    /// <returns>The query itself where nothing in it is sensitive, else a part of <paramref name="scratch"/>.</returns>
    public ReadOnlySpan<byte> Query(ReadOnlySpan<byte> query, Span<byte> scratch)
    {
        if (idle || query.IndexOf((byte)'=') < 0)
            return query;
        var written = -1; // nothing replaced yet: everything before `position` is as captured
        var position = 0;
        while (position < query.Length)
        {
            var length = query[position..].IndexOfAny((byte)'&', (byte)';');
            var last = length < 0;
            var parameter = last ? query[position..] : query.Slice(position, length);
            var equals = parameter.IndexOf((byte)'=');
            if (equals >= 0 && equals + 1 < parameter.Length && IsSensitive(parameter[..equals]))
            {
                if (written < 0)
                {
                    written = 0;
                    Append(query[..position], scratch, ref written);
                }

                Append(parameter[..(equals + 1)], scratch, ref written);
                Append(Mark, scratch, ref written);
            }
            else if (written >= 0)
            {
                Append(parameter, scratch, ref written);
            }

            if (last)
                break;
            position += length + 1;
            if (written >= 0)
                Append(query.Slice(position - 1, 1), scratch, ref written);
        }

        return written < 0 ? query : scratch[..written];
    }

    /// <summary>The request target or authority without user name and password: <c>http://user:pass@host/</c> becomes <c>http://***@host/</c>.</summary>
    /// <param name="target">A path, an absolute target or an authority, as captured.</param>
    /// <param name="scratch">Used when something is replaced.</param>
    /// <returns>The target itself where it has no user information, else a part of <paramref name="scratch"/>.</returns>
    public static ReadOnlySpan<byte> UserInfo(ReadOnlySpan<byte> target, Span<byte> scratch)
    {
        if (target.IsEmpty || (target[0] == '/' && !target.StartsWith("//"u8)) || target.IndexOf((byte)'@') < 0)
            return target;
        var slashes = target.IndexOf("//"u8);
        var start = slashes < 0 ? 0 : slashes + 2;
        var length = target[start..].IndexOfAny("/?#"u8);
        var authority = length < 0 ? target[start..] : target.Slice(start, length);
        var at = authority.LastIndexOf((byte)'@');
        if (at < 0)
            return target;
        var written = 0;
        Append(target[..start], scratch, ref written);
        Append(Mark, scratch, ref written);
        Append(target[(start + at)..], scratch, ref written);
        return scratch[..written];
    }

    private bool IsSensitive(ReadOnlySpan<byte> name)
    {
        Span<char> decoded = stackalloc char[LongestName];
        var length = 0;
        for (var i = 0; i < name.Length; i++)
        {
            if (length == LongestName)
                return false;
            var b = name[i];
            if (b == '%' && i + 2 < name.Length && char.IsAsciiHexDigit((char)name[i + 1]) && char.IsAsciiHexDigit((char)name[i + 2]))
            {
                b = (byte)((Digit(name[i + 1]) << 4) | Digit(name[i + 2]));
                i += 2;
            }

            decoded[length++] = (char)b;
        }

        var text = ((ReadOnlySpan<char>)decoded[..length]).Trim(" +\t");
        if (sensitive.Contains(text))
            return true;
        while (text.EndsWith("]"))
        {
            var open = text.LastIndexOf('[');
            if (open < 0)
                return false;
            if (sensitive.Contains(text[(open + 1)..^1]))
                return true;
            text = text[..open];
            if (sensitive.Contains(text))
                return true;
        }

        return false;
    }

    private static int Digit(byte b) => b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10;

    private static void Append(ReadOnlySpan<byte> text, Span<byte> scratch, ref int written)
    {
        var length = Math.Min(text.Length, scratch.Length - written);
        text[..length].CopyTo(scratch[written..]);
        written += length;
    }
}

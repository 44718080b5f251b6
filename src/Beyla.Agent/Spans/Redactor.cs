using System.Buffers;
using System.Collections.Frozen;

namespace Beyla.Agent.Spans;

/// <summary>
/// Replaces the values of sensitive parameters by <c>***</c>: of the query, of the path (<c>/a;token=x/b</c>) and of a fragment. Names
/// are compared without case, percent-decoded once as a server would do; of a nested name (<c>user[password]</c>) the last part in
/// brackets counts, of a list (<c>token[]</c>) the part before it. A name begins wherever some parser lets one begin, a sensitive value
/// goes as far as any lets it go. Does not allocate.
/// </summary>
public sealed class Redactor
{
    /// <summary>Names longer than this (decoded) are in no list.</summary>
    private const int LongestName = 128;

    // "=" ends a name as well: what follows is then its value. In a value that is not sensitive the next name may begin at "?" or "#".
    private static readonly SearchValues<byte> EndOfName = SearchValues.Create("=&;?#"u8), EndOfValue = SearchValues.Create("&;"u8),
        EndOfPathName = SearchValues.Create("=&;?/"u8), EndOfPathValue = SearchValues.Create(";/"u8);

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

    /// <summary>
    /// Whether there may be something to replace in a text: a value behind <c>=</c>, or user information before <c>@</c>. Quick, since most
    /// have neither.
    /// </summary>
    public static bool MayHold(ReadOnlySpan<byte> text) => text.IndexOfAny((byte)'=', (byte)'@') >= 0;

    /// <summary>The query without sensitive values.</summary>
    /// <param name="query">As captured, without the question mark.</param>
    /// <param name="scratch">Used when something is replaced; what does not fit is cut, never shown unredacted.</param>
    /// <returns>The query itself where nothing in it is sensitive, else a part of <paramref name="scratch"/>.</returns>
    public ReadOnlySpan<byte> Query(ReadOnlySpan<byte> query, Span<byte> scratch)
    {
        if (idle || query.IndexOf((byte)'=') < 0)
        {
            return query;
        }

        var written = -1;
        Parameters(query, 0, query.Length, EndOfName, EndOfValue, scratch, ref written);
        return written < 0 ? query : scratch[..written];
    }

    /// <summary>
    /// The path without sensitive values of its parameters (RFC 3986 section 3.3) and of a fragment, and without user information.
    /// </summary>
    /// <param name="path">A path or another form of a target, as captured, without query.</param>
    /// <param name="first">Used when something is replaced.</param>
    /// <param name="second">The same; both are needed when both kinds are in one path.</param>
    /// <returns>The path itself where nothing in it is sensitive, else a part of a scratch buffer.</returns>
    public ReadOnlySpan<byte> Path(ReadOnlySpan<byte> path, Span<byte> first, Span<byte> second)
    {
        path = UserInfo(path, first);
        if (idle || path.IndexOf((byte)'=') < 0)
        {
            return path;
        }

        var written = -1;
        var fragment = path.IndexOf((byte)'#');
        var end = fragment < 0 ? path.Length : fragment;
        Parameters(path, 0, end, EndOfPathName, EndOfPathValue, second, ref written);
        if (fragment >= 0)
        {
            Parameters(path, end, path.Length, EndOfName, EndOfValue, second, ref written);
        }

        return written < 0 ? path : second[..written];
    }

    /// <summary>
    /// The request target or authority without user name and password: <c>http://user:pass@host/</c> becomes <c>http://***@host/</c>.
    /// </summary>
    /// <param name="target">A path, an absolute target or an authority, as captured.</param>
    /// <param name="scratch">Used when something is replaced.</param>
    /// <returns>The target itself where it has no user information, else a part of <paramref name="scratch"/>.</returns>
    public static ReadOnlySpan<byte> UserInfo(ReadOnlySpan<byte> target, Span<byte> scratch)
    {
        if (target.IsEmpty || (target[0] == '/' && !target.StartsWith("//"u8)) || target.IndexOf((byte)'@') < 0)
        {
            return target;
        }

        var slashes = target.IndexOf("//"u8);
        var start = slashes < 0 ? 0 : slashes + 2;
        var length = target[start..].IndexOfAny("/?#"u8);
        var authority = length < 0 ? target[start..] : target.Slice(start, length);
        var at = authority.LastIndexOf((byte)'@');
        if (at < 0)
        {
            return target;
        }

        var written = 0;
        Append(target[..start], scratch, ref written);
        Append(Mark, scratch, ref written);
        Append(target[(start + at)..], scratch, ref written);
        return scratch[..written];
    }

    /// <summary>Copies text[from..to] with what is sensitive replaced, from the first replacement on: until then written is -1.</summary>
    private void Parameters(
        ReadOnlySpan<byte> text, int from, int to, SearchValues<byte> endOfName, SearchValues<byte> endOfValue, Span<byte> scratch,
        ref int written)
    {
        while (from < to)
        {
            var rest = text[from..to];
            var stop = rest.IndexOfAny(endOfName);
            var name = stop < 0 ? rest : rest[..stop];
            var next = stop < 0 ? rest.Length : stop + 1;
            var value = stop >= 0 && rest[stop] == '=' ? rest[next..] : default;
            var secret = !value.IsEmpty && !endOfValue.Contains(value[0]) && IsSensitive(name);
            if (secret && written < 0)
            {
                written = 0;
                Append(text[..from], scratch, ref written);
            }

            if (written >= 0)
            {
                Append(rest[..next], scratch, ref written);
            }

            if (secret)
            {
                Append(Mark, scratch, ref written);
            }

            var length = secret ? value.IndexOfAny(endOfValue) : 0;
            from += next + (length < 0 ? value.Length : length);
        }
    }

    private bool IsSensitive(ReadOnlySpan<byte> name)
    {
        Span<char> decoded = stackalloc char[LongestName];
        var length = 0;
        for (var i = 0; i < name.Length; i++)
        {
            if (length == LongestName)
            {
                return false;
            }

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
        {
            return true;
        }

        while (text.EndsWith("]"))
        {
            var open = text.LastIndexOf('[');
            if (open < 0)
            {
                return false;
            }

            if (sensitive.Contains(text[(open + 1)..^1]))
            {
                return true;
            }

            text = text[..open];
            if (sensitive.Contains(text))
            {
                return true;
            }
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

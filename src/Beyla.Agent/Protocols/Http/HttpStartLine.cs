using System.Buffers;
using System.Buffers.Binary;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Request and status lines of HTTP/1 (RFC 9112 sections 3 and 4), as tolerant as servers and clients are: any run of blanks separates
/// words, and the digits of the version do not matter.
/// </summary>
internal static class HttpStartLine
{
    /// <summary>The longest method that is accepted.</summary>
    public const int MaxMethod = 32;

    /// <summary>Bytes of <c>HTTP/1.1 200</c>.</summary>
    private const int PlainStatus = 12;

    /// <summary>Letters of the longest method in the plain form of a request line.</summary>
    private const int PlainMethod = 8;

    /// <summary>What separates words beside the space: HTAB, VT, FF, bare CR.</summary>
    private static ReadOnlySpan<byte> Blanks => " \t\v\f\r"u8;

    private static ReadOnlySpan<byte> LinesAndBlanks => "\n \t\v\f\r"u8;

    // Most methods are upper case. Others must be followed by a path, or half of all plain text would look like the start of a request.
    private static readonly SearchValues<byte> MethodBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"u8);

    // tchar, RFC 9110 section 5.6.2.
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static ReadOnlySpan<byte> Protocol => "HTTP/"u8;

    /// <summary>Whether the bytes, possibly cut, may be the beginning of a request line; empty lines before it are passed over.</summary>
    /// <param name="data">The first bytes.</param>
    /// <param name="isExpected">A request can begin nowhere but here: an unusual method whose target is not there yet will do.</param>
    public static bool MayBeRequest(ReadOnlySpan<byte> data, bool isExpected = false)
    {
        if (PlainMethodOf(data) is > 0 and var plain && plain + 1 < data.Length && data[plain + 1] is > (byte)' ' and not 0x7f)
        {
            return true;
        }

        data = data.TrimStart(LinesAndBlanks);
        if (data.IsEmpty)
        {
            return false;
        }

        var head = data[..Math.Min(data.Length, MaxMethod + 1)];
        var end = head.IndexOfAnyExcept(MethodBytes);
        var isCommon = data[0] is >= (byte)'A' and <= (byte)'Z';
        if (!isCommon || (end >= 0 && !IsBlank(head[end])))
        {
            isCommon = false;
            end = head.IndexOfAnyExcept(TokenBytes);
        }

        if (end < 0)
        {
            return (isCommon || isExpected) && data.Length <= MaxMethod;
        }

        if (end == 0 || !IsBlank(data[end]))
        {
            return false;
        }

        var target = data[end..].TrimStart(Blanks);
        return target.IsEmpty ? isCommon || isExpected : isCommon ? target[0] is > (byte)' ' and not 0x7f : target[0] == '/';
    }

    /// <summary>Whether the bytes, possibly cut, may be the beginning of a status line.</summary>
    public static bool MayBeResponse(ReadOnlySpan<byte> data)
    {
        if (data.Length > 0 && data[0] != 'H')
        {
            data = data.TrimStart(LinesAndBlanks);
        }

        return !data.IsEmpty
            && (data.Length <= Protocol.Length ? Protocol.StartsWith(data) : data.StartsWith(Protocol) && IsDigit(data[Protocol.Length]));
    }

    /// <summary>
    /// Splits a request line. A cut line passes without version when its target has the form of a path or an absolute URI.
    /// </summary>
    /// <returns>False when it is none.</returns>
    public static bool TryParseRequest(
        ReadOnlySpan<byte> line, bool cut, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out byte minor)
    {
        method = target = default;
        minor = 1;
        if (!cut && TryParsePlain(line, out method, out target, out minor))
        {
            return true;
        }

        line = line.TrimStart(Blanks);
        if (!MayBeRequest(line, true) || line.IndexOfAny(Blanks) is var blank && blank <= 0)
        {
            return false;
        }

        method = line[..blank];
        target = line[blank..].TrimStart(Blanks);
        if (cut)
        {
            return target.StartsWith("/"u8) || target.StartsWith("http://"u8) || target.StartsWith("https://"u8);
        }

        target = target.TrimEnd(Blanks);
        var before = target.LastIndexOfAny(Blanks);
        var version = target[(before + 1)..];
        if (before <= 0 || !TryVersion(version) || (method.SequenceEqual("PRI"u8) && version[Protocol.Length] == '2'))
        {
            return false;
        }

        minor = version.EndsWith("/1.0"u8) ? (byte)0 : (byte)1;
        target = target[..before].TrimEnd(Blanks);
        return true;
    }

    /// <summary>Reads the status of a status line; the reason may be missing.</summary>
    public static bool TryParseStatus(ReadOnlySpan<byte> line, out int status)
    {
        status = 0;
        if (line.Length >= PlainStatus && IsPlainVersion(line, out _) && line[8] == ' ' && (line.Length == PlainStatus || line[12] == ' '))
        {
            var (a, b, c) = (line[9] - '0', line[10] - '0', line[11] - '0');
            if ((uint)a < 10 && (uint)b < 10 && (uint)c < 10)
            {
                status = (100 * a) + (10 * b) + c;
                return status >= 100;
            }
        }

        line = line.TrimStart(Blanks);
        var blank = line.IndexOfAny(Blanks);
        if (blank < 0 || !TryVersion(line[..blank]))
        {
            return false;
        }

        line = line[blank..].TrimStart(Blanks);
        if (line.Length < 3 || (line.Length > 3 && IsDigit(line[3])))
        {
            return false;
        }

        foreach (var digit in line[..3])
        {
            if (!IsDigit(digit))
            {
                return false;
            }

            status = (status * 10) + digit - '0';
        }

        return status >= 100;
    }

    /// <summary>The form that nearly all request lines have: letters, a space, a target without blanks, a space, HTTP/1.0 or 1.1.</summary>
    public static bool TryParsePlain(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out byte minor)
    {
        method = target = default;
        minor = 1;
        var end = line.Length - Protocol.Length - 4;
        if (PlainMethodOf(line) is not (> 0 and var blank) || end <= blank + 1 || line[end] != ' '
            || !IsPlainVersion(line[(end + 1)..], out minor))
        {
            return false;
        }

        target = line[(blank + 1)..end];
        method = line[..blank];
        return target[0] != 0x7f && !target.ContainsAnyInRange((byte)0, (byte)' ');
    }

    /// <summary>How many upper-case letters there are before a space, where they are few; else 0.</summary>
    private static int PlainMethodOf(ReadOnlySpan<byte> line)
    {
        for (var i = 0; i < line.Length && i <= PlainMethod; i++)
        {
            if (line[i] is < (byte)'A' or > (byte)'Z')
            {
                return line[i] == ' ' ? i : 0;
            }
        }

        return 0;
    }

    /// <summary>Whether a text begins with HTTP/1.0 or HTTP/1.1.</summary>
    private static bool IsPlainVersion(ReadOnlySpan<byte> text, out byte minor)
    {
        const ulong Http10 = 0x302e312f50545448; // little-endian "HTTP/1.0"
        var version = BinaryPrimitives.TryReadUInt64LittleEndian(text, out var bytes) ? bytes : 0;
        minor = version == Http10 ? (byte)0 : (byte)1;
        return (version & ~(1ul << 56)) == Http10;
    }

    private static bool IsBlank(byte b) => b is (byte)' ' or (byte)'\t' or (byte)'\v' or (byte)'\f' or (byte)'\r';

    /// <summary>"HTTP/", digits, a dot, digits.</summary>
    private static bool TryVersion(ReadOnlySpan<byte> word)
    {
        if (!word.StartsWith(Protocol))
        {
            return false;
        }

        var numbers = word[Protocol.Length..];
        var dot = numbers.IndexOf((byte)'.');
        return dot is > 0 and < 4 && numbers.Length - dot is > 1 and < 5
            && !numbers[..dot].ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && !numbers[(dot + 1)..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    private static bool IsDigit(byte b) => b is >= (byte)'0' and <= (byte)'9';
}

using System.Buffers;

namespace Beyla.Agent.Protocols.Http;

/// <summary>Request and status lines of HTTP/1.0 and 1.1 (RFC 9112 sections 3 and 4).</summary>
internal static class HttpStartLine
{
    /// <summary>The longest method that is accepted.</summary>
    public const int MaxMethod = 32;

    // Methods in use are upper case. Taking other token characters as well would make half of all plain text look like the start of a request.
    private static readonly SearchValues<byte> MethodBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"u8);

    private static ReadOnlySpan<byte> Version => "HTTP/1."u8;

    /// <summary>Whether the bytes, possibly cut, may be the beginning of a request line; empty lines before it are passed over.</summary>
    public static bool MayBeRequest(ReadOnlySpan<byte> data)
    {
        data = data.TrimStart("\r\n"u8);
        if (data.IsEmpty || data[0] is < (byte)'A' or > (byte)'Z')
        {
            return false;
        }

        var end = data[..Math.Min(data.Length, MaxMethod + 1)].IndexOfAnyExcept(MethodBytes);
        return end < 0 ? data.Length <= MaxMethod : data[end] == ' ' && (end + 1 == data.Length || data[end + 1] is > (byte)' ' and not 0x7f);
    }

    /// <summary>Whether the bytes, possibly cut, may be the beginning of a status line.</summary>
    public static bool MayBeResponse(ReadOnlySpan<byte> data)
    {
        data = data.TrimStart("\r\n"u8);
        return !data.IsEmpty && (data.Length < Version.Length ? Version.StartsWith(data) : data.StartsWith(Version));
    }

    /// <summary>Splits a request line. A cut line passes without version when its target has the form of a path or an absolute URI.</summary>
    /// <returns>False when it is none.</returns>
    public static bool TryParseRequest(ReadOnlySpan<byte> line, bool cut, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out byte minor)
    {
        method = target = default;
        minor = 1;
        if (!MayBeRequest(line) || line.IndexOf((byte)' ') is var space && space <= 0)
        {
            return false;
        }

        method = line[..space];
        target = line[(space + 1)..];
        if (cut)
        {
            return target.StartsWith("/"u8) || target.StartsWith("http://"u8) || target.StartsWith("https://"u8);
        }

        target = target.TrimEnd((byte)' ');
        var version = target.Length - Version.Length - 1;
        if (version < 2 || target[version - 1] != ' ' || !target[version..].StartsWith(Version) || target[^1] is < (byte)'0' or > (byte)'9')
        {
            return false;
        }

        minor = target[^1] == '0' ? (byte)0 : (byte)1;
        target = target[..version].Trim((byte)' ');
        return !target.IsEmpty;
    }

    /// <summary>Reads the status of a status line; the reason may be missing.</summary>
    public static bool TryParseStatus(ReadOnlySpan<byte> line, out int status)
    {
        status = 0;
        if (line.Length < 12 || !line.StartsWith(Version) || line[7] is < (byte)'0' or > (byte)'9' || line[8] != ' '
            || (line.Length > 12 && line[12] != ' '))
        {
            return false;
        }

        foreach (var digit in line[9..12])
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            status = (status * 10) + digit - '0';
        }

        return status >= 100;
    }
}

using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Judges whether a connection speaks HTTP/1 by its first bytes: a whole request line (RFC 9112 section 3), or the header of the PROXY
/// protocol before one. Only requests tell; a response alone says nothing of what was asked.
/// </summary>
internal static class HttpOpening
{
    /// <summary>Bytes that must do: a request line that is longer begins with so many that can be one.</summary>
    private const int Enough = 64;

    /// <summary>Version 2 of the PROXY protocol begins with two empty lines, which may as well stand before a request.</summary>
    private const int EmptyLines = 4;

    /// <summary>The judgement.</summary>
    public static Confirmation Judge(in Opening opening)
    {
        var data = opening.Data;
        if (opening.IsKnown)
        {
            return HttpStartLine.MayBeRequest(data) || ProxyHeader.MayStart(data) ? Confirmation.Yes : Confirmation.No;
        }

        var mayWait = data.Length == opening.Length && data.Length < Enough;
        if (data.Length > EmptyLines && ProxyHeader.MayStart(data))
        {
            return Confirmation.Yes;
        }

        var line = data.TrimStart("\r\n \t\v\f"u8);
        if (line.IsEmpty)
        {
            // Of empty lines there may be any number before a request, and a conversation passes over them.
            return data.IsEmpty ? Confirmation.No
                : mayWait ? Confirmation.Undecided
                : data.Length >= Enough && !data.ContainsAnyExcept((byte)'\r', (byte)'\n') ? Confirmation.Yes : Confirmation.No;
        }

        var end = line.IndexOf((byte)'\n');
        if (end < 0)
        {
            return !HttpStartLine.MayBeRequest(line) ? Confirmation.No : mayWait ? Confirmation.Undecided : Confirmation.Yes;
        }

        line = line[..end].TrimEnd((byte)'\r');
        return HttpStartLine.TryParseRequest(line, false, out _, out _, out _) || ProxyHeader.TryParseLine(line, out _, out _)
            ? Confirmation.Yes : Confirmation.No;
    }
}

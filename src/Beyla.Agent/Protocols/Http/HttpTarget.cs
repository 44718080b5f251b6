namespace Beyla.Agent.Protocols.Http;

/// <summary>A request target taken apart (RFC 9112 section 3.2): origin, absolute, authority and asterisk form.</summary>
internal readonly ref struct HttpTarget
{
    /// <summary>Takes a target apart that is not empty; the parts point into it. With CONNECT all of it is the authority.</summary>
    public HttpTarget(ReadOnlySpan<byte> target, bool isConnect)
    {
        if (isConnect)
        {
            Authority = target;
            return;
        }

        if (target[0] != '/' && target.IndexOf("://"u8) is > 0 and var scheme && target.IndexOfAny("/?"u8) > scheme)
        {
            target = target[(scheme + 3)..];
            var end = target.IndexOfAny("/?"u8);
            Authority = end < 0 ? target : target[..end];
            target = end < 0 ? default : target[end..];

            // Whoever still sends a password this way must not find it in a trace.
            Authority = Authority[(Authority.LastIndexOf((byte)'@') + 1)..];
            if (target.IsEmpty || target[0] == '?')
            {
                Path = "/"u8;
                Query = target.IsEmpty ? default : target[1..];
                return;
            }
        }

        var mark = target.IndexOf((byte)'?');
        Path = mark < 0 ? target : target[..mark];
        Query = mark < 0 ? default : target[(mark + 1)..];
    }

    /// <summary>Path as on the wire: <c>/</c> for an absolute target without one, empty for CONNECT.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>Query without the question mark; empty when there is none.</summary>
    public ReadOnlySpan<byte> Query { get; }

    /// <summary>Of an absolute target or of CONNECT, without user information; else empty.</summary>
    public ReadOnlySpan<byte> Authority { get; }
}

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// Walks the segments of a path: what stands between slashes, without empty ones, and without the parameters that a segment may have
/// behind a semicolon (RFC 3986, 3.3: <c>;jsessionid=…</c>). Allocates nothing.
/// </summary>
/// <param name="path">Begins with a slash; not decoded.</param>
internal ref struct PathSegments(ReadOnlySpan<byte> path)
{
    private ReadOnlySpan<byte> rest = path;

    /// <summary>The segment; never empty.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>The segment behind the current one; empty at the end.</summary>
    public readonly ReadOnlySpan<byte> Next
    {
        get
        {
            var ahead = this;
            return ahead.MoveNext() ? ahead.Current : default;
        }
    }

    /// <summary>Goes to the next one.</summary>
    public bool MoveNext()
    {
        while (!rest.IsEmpty)
        {
            var slash = rest.IndexOf((byte)'/');
            var segment = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..];
            if (segment.IndexOf((byte)';') is >= 0 and var end)
            {
                segment = segment[..end];
            }

            if (!segment.IsEmpty)
            {
                Current = segment;
                return true;
            }
        }

        return false;
    }
}

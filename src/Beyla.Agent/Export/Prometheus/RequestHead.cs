namespace Beyla.Agent.Export.Prometheus;

/// <summary>The head of a request of HTTP/1 (RFC 9112), as far as a page of metrics needs it.</summary>
internal readonly ref struct RequestHead
{
    /// <summary>Bytes that it may have.</summary>
    public const int Longest = 8 * 1024;

    /// <summary>As sent: methods have cases.</summary>
    public ReadOnlySpan<byte> Method { get; private init; }

    /// <summary>The target without query.</summary>
    public ReadOnlySpan<byte> Path { get; private init; }

    /// <summary>The lines behind the first one.</summary>
    private ReadOnlySpan<byte> Fields { get; init; }

    /// <summary>The end of a head in what has come; -1 when it is not there yet.</summary>
    public static int FindEnd(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        return end < 0 ? -1 : end + 4;
    }

    /// <summary>Reads a whole head.</summary>
    /// <returns>False when it is none of HTTP/1.</returns>
    public static bool TryParse(ReadOnlySpan<byte> head, out RequestHead request)
    {
        request = default;
        var line = head[..head.IndexOf("\r\n"u8)];
        var first = line.IndexOf((byte)' ');
        var last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last <= first + 1 || line[(last + 1)..] is not [(byte)'H', (byte)'T', (byte)'T', (byte)'P', (byte)'/',
            (byte)'1', (byte)'.', (byte)'0' or (byte)'1'])
        {
            return false;
        }

        var target = line[(first + 1)..last];
        var query = target.IndexOf((byte)'?');
        request = new RequestHead
        {
            Method = line[..first], Path = query < 0 ? target : target[..query], Fields = head[(line.Length + 2)..],
        };
        return true;
    }

    /// <summary>The values of a field, each as it was sent, in their order.</summary>
    /// <param name="name">In lower case.</param>
    public FieldValues Values(ReadOnlySpan<byte> name) => new(Fields, name);

    /// <summary>The lines of one field.</summary>
    internal ref struct FieldValues(ReadOnlySpan<byte> fields, ReadOnlySpan<byte> name)
    {
        private readonly ReadOnlySpan<byte> name = name;
        private ReadOnlySpan<byte> rest = fields;

        public ReadOnlySpan<byte> Current { get; private set; }

        public readonly FieldValues GetEnumerator() => this;

        public bool MoveNext()
        {
            while (rest.IndexOf("\r\n"u8) is > 0 and var length)
            {
                var line = rest[..length];
                rest = rest[(length + 2)..];
                if (line.Length > name.Length && line[name.Length] == ':'
                    && System.Text.Ascii.EqualsIgnoreCase(line[..name.Length], name))
                {
                    Current = line[(name.Length + 1)..].Trim(" \t"u8);
                    return true;
                }
            }

            return false;
        }
    }
}

using System.Text;

namespace Beyla.Agent.Protocols.Http;

/// <summary>Which field of a head a line belongs to.</summary>
internal enum HttpField : byte
{
    /// <summary>Any field that is not read here.</summary>
    Other = 0,

    /// <summary>Host (RFC 9110 section 7.2).</summary>
    Host,

    /// <summary>Content-Length (RFC 9110 section 8.6).</summary>
    ContentLength,

    /// <summary>Transfer-Encoding (RFC 9112 section 6.1).</summary>
    TransferEncoding,

    /// <summary>Expect (RFC 9110 section 10.1.1).</summary>
    Expect,
}

/// <summary>How the end of a body is found (RFC 9112 section 6.3).</summary>
internal enum HttpFraming : byte
{
    /// <summary>Neither Content-Length nor Transfer-Encoding.</summary>
    None = 0,

    /// <summary>By Content-Length, see <see cref="HttpFields.Length"/>.</summary>
    Length,

    /// <summary>By the chunked coding, which is the last one.</summary>
    Chunked,

    /// <summary>A Transfer-Encoding whose last coding is not chunked.</summary>
    OtherCoding,

    /// <summary>Content-Length is malformed or contradicts itself.</summary>
    Conflict,
}

/// <summary>Reads the few header fields that decide how a message goes on.</summary>
internal struct HttpFields
{
    private HttpField last;
    private bool conflict, coded, chunked;
    private long length;
    private bool hasLength;

    /// <summary>The declared length of the body when <see cref="Framing"/> says so.</summary>
    public readonly long Length => length;

    /// <summary>
    /// The client waits with the body for 100 (Continue), and may leave it out when it gets another answer (RFC 9110 section 10.1.1).
    /// </summary>
    public bool ExpectsContinue { get; private set; }

    /// <summary>What the fields so far say of the end of the body. A Transfer-Encoding goes before a Content-Length.</summary>
    public readonly HttpFraming Framing =>
        coded ? chunked ? HttpFraming.Chunked : HttpFraming.OtherCoding
        : conflict ? HttpFraming.Conflict
        : hasLength ? HttpFraming.Length
        : HttpFraming.None;

    /// <summary>Takes a header line, or a continuation of the one before (obs-fold, RFC 9112 section 5.2).</summary>
    /// <returns>The field, with its value.</returns>
    public HttpField Add(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> value)
    {
        if (line[0] is (byte)' ' or (byte)'\t')
        {
            value = line;
        }
        else
        {
            last = Recognise(line, out var name);
            value = line[name..];
        }

        value = last == HttpField.Other ? default : value.Trim(" \t"u8);
        if (!value.IsEmpty && last == HttpField.ContentLength)
        {
            AddLength(value);
        }
        else if (!value.IsEmpty && last == HttpField.TransferEncoding)
        {
            coded = true;
            chunked = Ascii.EqualsIgnoreCase(value[(value.LastIndexOf((byte)',') + 1)..].Trim(" \t"u8), "chunked"u8);
        }
        else if (!value.IsEmpty && last == HttpField.Expect)
        {
            ExpectsContinue |= Ascii.EqualsIgnoreCase(value, "100-continue"u8);
        }

        return last;
    }

    private static HttpField Recognise(ReadOnlySpan<byte> line, out int name)
    {
        var (field, prefix) = (line[0] | 0x20) switch
        {
            'h' => (HttpField.Host, 5),
            'c' => (HttpField.ContentLength, 15),
            't' => (HttpField.TransferEncoding, 18),
            'e' => (HttpField.Expect, 7),
            _ => (HttpField.Other, 0),
        };
        name = prefix;
        if (prefix == 0 || line.Length < prefix || line[prefix - 1] != ':')
        {
            name = 0;
            return HttpField.Other;
        }

        var expected = field switch
        {
            HttpField.Host => "host:"u8,
            HttpField.ContentLength => "content-length:"u8,
            HttpField.Expect => "expect:"u8,
            _ => "transfer-encoding:"u8,
        };
        return Ascii.EqualsIgnoreCase(line[..prefix], expected) ? field : HttpField.Other;
    }

    /// <summary>Digits only; a list of equal numbers is one number (RFC 9110 section 8.6).</summary>
    private void AddLength(ReadOnlySpan<byte> value)
    {
        while (true)
        {
            var comma = value.IndexOf((byte)',');
            var number = (comma < 0 ? value : value[..comma]).Trim(" \t"u8);
            long parsed = 0;
            var valid = number.Length is > 0 and <= 18;
            foreach (var digit in number)
            {
                valid &= digit is >= (byte)'0' and <= (byte)'9';
                parsed = valid ? (parsed * 10) + digit - '0' : 0;
            }

            conflict |= !valid || (hasLength && parsed != length);
            length = parsed;
            hasLength = true;
            if (comma < 0)
            {
                return;
            }

            value = value[(comma + 1)..];
        }
    }
}

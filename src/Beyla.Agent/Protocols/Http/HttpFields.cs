using System.Runtime.InteropServices;
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

    /// <summary>traceparent (W3C Trace Context level 2 section 3.2).</summary>
    TraceParent,

    /// <summary>tracestate (the same, section 3.3).</summary>
    TraceState,
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
    /// <summary>Digits of a length that fits a long for sure.</summary>
    private const int MaxDigits = 18;

    // "host", "content-" and "t-length" in the byte order of the machine.
    private static readonly uint LowerHost = MemoryMarshal.Read<uint>("host"u8);

    private static readonly ulong LowerContent = MemoryMarshal.Read<ulong>("content-"u8),
        LowerLength = MemoryMarshal.Read<ulong>("t-length"u8);

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

        value = last == HttpField.Other ? default : Trim(value);
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
            't' => OfT(line),
            'e' => (HttpField.Expect, 7),
            _ => (HttpField.Other, 0),
        };
        name = prefix;
        if (prefix == 0 || line.Length < prefix || line[prefix - 1] != ':')
        {
            name = 0;
            return HttpField.Other;
        }

        // The two that nearly every head has are compared as numbers; of a sign between letters the exact byte counts.
        var isField = field switch
        {
            HttpField.Host => Lower(MemoryMarshal.Read<uint>(line)) == LowerHost,
            HttpField.ContentLength => line[7] == '-' && Lower(MemoryMarshal.Read<ulong>(line)) == LowerContent
                && Lower(MemoryMarshal.Read<ulong>(line[6..])) == LowerLength,
            HttpField.Expect => Ascii.EqualsIgnoreCase(line[..prefix], "expect:"u8),
            HttpField.TraceParent => Ascii.EqualsIgnoreCase(line[..prefix], "traceparent:"u8),
            HttpField.TraceState => Ascii.EqualsIgnoreCase(line[..prefix], "tracestate:"u8),
            _ => Ascii.EqualsIgnoreCase(line[..prefix], "transfer-encoding:"u8),
        };
        return isField ? field : HttpField.Other;
    }

    /// <summary>Three fields begin with that letter: the place of the colon tells which it can be.</summary>
    private static (HttpField, int) OfT(ReadOnlySpan<byte> line) =>
        line.Length > 17 && line[17] == ':' && (line[2] | 0x20) == 'a' && (line[3] | 0x20) == 'n' ? (HttpField.TransferEncoding, 18)
        : line.Length > 11 && line[11] == ':' ? (HttpField.TraceParent, 12)
        : (HttpField.TraceState, 11);

    private static uint Lower(uint letters) => letters | 0x20202020;

    private static ulong Lower(ulong letters) => letters | 0x2020202020202020;

    /// <summary>Without the blanks (OWS) around it: usually one before it.</summary>
    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value)
    {
        if (value.Length > 1 && value[0] == ' ' && value[1] > ' ' && value[^1] > ' ')
        {
            return value[1..];
        }

        var (start, end) = (0, value.Length);
        while (start < end && value[start] is (byte)' ' or (byte)'\t')
        {
            start++;
        }

        while (end > start && value[end - 1] is (byte)' ' or (byte)'\t')
        {
            end--;
        }

        return value[start..end];
    }

    /// <summary>Digits only; a list of equal numbers is one number (RFC 9110 section 8.6).</summary>
    private void AddLength(ReadOnlySpan<byte> value)
    {
        if (!hasLength && TryNumber(value, out length))
        {
            hasLength = true;
            return;
        }

        while (true)
        {
            var comma = value.IndexOf((byte)',');
            var number = (comma < 0 ? value : value[..comma]).Trim(" \t"u8);
            var valid = TryNumber(number, out var parsed);
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

    private static bool TryNumber(ReadOnlySpan<byte> digits, out long number)
    {
        number = 0;
        if (digits.Length is 0 or > MaxDigits)
        {
            return false;
        }

        foreach (var digit in digits)
        {
            var value = (uint)(digit - '0');
            if (value > 9)
            {
                number = 0;
                return false;
            }

            number = (number * 10) + value;
        }

        return true;
    }
}

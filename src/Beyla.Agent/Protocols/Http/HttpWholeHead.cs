using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Reads a head that is whole in one piece, as nearly all are, in one pass: sixteen bytes at a time it looks for line ends, and of each
/// line at the first byte and at the one place where the colon of a field must be that <see cref="HttpFields"/> reads. What is cut, or has
/// empty lines before it, is <see cref="HttpMessageReader"/>'s matter.
/// </summary>
internal ref struct HttpWholeHead
{
    /// <summary>Bytes of the shortest head: <c>GET / HTTP/1.1</c> or <c>HTTP/1.1 200</c> with two line ends.</summary>
    private const int Shortest = 16;

    /// <summary>Of a line that begins with a blank: it continues the one before (obs-fold, RFC 9112 section 5.2).</summary>
    private const byte Continues = 254;

    /// <summary>Of an empty line.</summary>
    private const byte Ends = 255;

    /// <summary>Of a line whose first letter several fields have.</summary>
    private const byte Several = 253;

    /// <summary>
    /// By the first byte of a line: where the colon of a field is that counts, so behind Host, Expect and Content-Length;
    /// 0 for lines of no interest.
    /// </summary>
    private static readonly byte[] ColonBy = Colons();

    /// <summary>What the fields say of the body.</summary>
    public HttpFields Fields;

    /// <summary>The request line or status line, without its end.</summary>
    public ReadOnlySpan<byte> StartLine { get; private set; }

    /// <summary>The value of the first Host field that is not empty.</summary>
    public ReadOnlySpan<byte> Host { get; private set; }

    /// <summary>The value of the first traceparent; empty when there is none.</summary>
    public ReadOnlySpan<byte> TraceParent { get; private set; }

    /// <summary>The value of the first tracestate that is not empty.</summary>
    public ReadOnlySpan<byte> TraceState { get; private set; }

    /// <summary>There is more than one traceparent, or more than one tracestate.</summary>
    public bool HasTwice { get; private set; }

    /// <summary>Bytes of the head, with the empty line after the fields.</summary>
    public int Length { get; private set; }

    /// <summary>Reads the head that the bytes begin with.</summary>
    /// <returns>False when it is not whole, or begins with an empty line.</returns>
    public static bool TryRead(ReadOnlySpan<byte> data, out HttpWholeHead head)
    {
        head = default;
        if (data.Length < Shortest || data[0] is (byte)'\r' or (byte)'\n')
        {
            return false;
        }

        var at = 0;
        var lineStart = 0;
        var isWanted = true;
        ref var first = ref MemoryMarshal.GetReference(data);
        ref var colons = ref MemoryMarshal.GetArrayDataReference(ColonBy);
        var lineEnd = Vector128.Create((byte)'\n');
        for (; at < data.Length; at += Vector128<byte>.Count)
        {
            // The last bytes together with those before them, which were looked at already.
            var load = Math.Min(at, data.Length - Vector128<byte>.Count);
            var bytes = Vector128.LoadUnsafe(ref first, (nuint)load);
            var ends = Vector128.Equals(bytes, lineEnd).ExtractMostSignificantBits() >> (at - load);
            for (; ends != 0; ends &= ends - 1)
            {
                var end = at + BitOperations.TrailingZeroCount(ends);
                if (isWanted && head.TakeLine(data[lineStart..end], lineStart == 0))
                {
                    head.Length = end + 1;
                    return !head.StartLine.IsEmpty;
                }

                lineStart = end + 1;
                if (lineStart == data.Length)
                {
                    return false;
                }

                var colon = Unsafe.Add(ref colons, Unsafe.Add(ref first, lineStart));
                isWanted = colon is Ends or Several || (colon == Continues ? isWanted
                    : colon != 0 && (lineStart + colon >= data.Length || Unsafe.Add(ref first, lineStart + colon) == ':'));
            }
        }

        return false;
    }

    private static byte[] Colons()
    {
        var places = new byte[256];
        places['c'] = places['C'] = (byte)"content-length".Length;
        places['h'] = places['H'] = (byte)"host".Length;
        places['e'] = places['E'] = (byte)"expect".Length;
        places['t'] = places['T'] = Several;
        places[' '] = places['\t'] = Continues;
        places['\r'] = places['\n'] = Ends;
        return places;
    }

    /// <summary>Takes the start line, the empty line, or a field that may be of interest.</summary>
    /// <returns>Whether it is the empty one: the head is over.</returns>
    private bool TakeLine(ReadOnlySpan<byte> line, bool isFirst)
    {
        if (line.Length > 0 && line[^1] == '\r')
        {
            line = line[..^1];
        }

        if (line.IsEmpty)
        {
            return true;
        }

        if (isFirst)
        {
            StartLine = line;
        }
        else
        {
            TakeField(Fields.Add(line, out var value), value);
        }

        return false;
    }

    private void TakeField(HttpField field, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return;
        }

        switch (field)
        {
            case HttpField.Host when Host.IsEmpty:
                Host = value;
                break;
            case HttpField.TraceParent:
                HasTwice |= !TraceParent.IsEmpty;
                TraceParent = value;
                break;
            case HttpField.TraceState:
                HasTwice |= !TraceState.IsEmpty;
                TraceState = value;
                break;
            default:
                break;
        }
    }
}

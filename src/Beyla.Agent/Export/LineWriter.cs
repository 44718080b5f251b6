using System.Buffers.Text;
using System.Runtime.Intrinsics;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Export;

/// <summary>
/// Writes UTF-8 into a buffer that its caller has made large enough for the longest line; what does not fit throws, it never runs over.
/// </summary>
public ref struct LineWriter
{
    private readonly Span<byte> buffer;

    /// <param name="buffer">Where the line goes.</param>
    public LineWriter(Span<byte> buffer) => this.buffer = buffer;

    /// <summary>00 to 99.</summary>
    private static ReadOnlySpan<byte> Pairs =>
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"u8
        + "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"u8;

    /// <summary>Bytes written.</summary>
    public int Position { get; private set; }

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => buffer[..Position];

    /// <summary>Takes back everything behind a position.</summary>
    public void Truncate(int position) => Position = Math.Min(position, Position);

    /// <summary>Bytes as they are, without escaping.</summary>
    public void Write(scoped ReadOnlySpan<byte> text)
    {
        text.CopyTo(buffer[Position..]);
        Position += text.Length;
    }

    /// <summary>One byte as it is.</summary>
    public void WriteByte(byte b) => buffer[Position++] = b;

    /// <summary>Decimal.</summary>
    public void WriteNumber(long number)
    {
        // Ports, status codes and most lengths: a line has six of them, and the general way takes as long as the rest of the line.
        if (number is >= 0 and < 100_000)
        {
            if (number < 10)
            {
                WriteByte((byte)('0' + number));
                return;
            }

            WriteDigits((int)number, number < 100 ? 2 : number < 1000 ? 3 : number < 10_000 ? 4 : 5);
            return;
        }

        if (!Utf8Formatter.TryFormat(number, buffer[Position..], out var written))
        {
            throw new ArgumentException("the line is longer than its buffer");
        }

        Position += written;
    }

    /// <summary>Lower-case hexadecimal without leading zeros.</summary>
    public void WriteHex(ulong number)
    {
        for (var shift = (63 - System.Numerics.BitOperations.LeadingZeroCount(number | 1)) & ~3; shift >= 0; shift -= 4)
        {
            WriteByte("0123456789abcdef"u8[(int)(number >> shift) & 15]);
        }
    }

    /// <summary>Sixteen digits in lower-case hexadecimal: the identity of a span, or half of that of a trace.</summary>
    public void WriteIdentity(ulong number)
    {
        var to = buffer.Slice(Position, 16);
        // Each byte becomes two digits, eight of them at once: their halves are spread and then made letters where they are above nine.
        var bytes = Vector128.CreateScalar(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(number)).AsByte();
        var (low, _) = Vector128.Widen(bytes);
        var halves = (Vector128.ShiftRightLogical(low, 4) | Vector128.ShiftLeft(low & Vector128.Create((ushort)15), 8)).AsByte();
        var digits = halves + Vector128.Create((byte)'0')
            + (Vector128.GreaterThan(halves, Vector128.Create((byte)9)) & Vector128.Create((byte)('a' - '0' - 10)));
        digits.CopyTo(to);
        Position += 16;
    }

    /// <summary>A number with leading zeros.</summary>
    public void WriteDigits(int number, int digits)
    {
        var to = buffer.Slice(Position, digits);
        var rest = (uint)number;
        var i = to.Length;
        while (i >= 2)
        {
            (rest, var pair) = (rest / 100, rest % 100);
            i -= 2;
            var two = Pairs.Slice(2 * (int)pair, 2);
            to[i + 1] = two[1];
            to[i] = two[0];
        }

        if (i == 1)
        {
            to[0] = (byte)('0' + (rest % 10));
        }

        Position += digits;
    }

    /// <summary>An address as text: dotted for IPv4, RFC 5952 for IPv6.</summary>
    public void Write(in Address address)
    {
        if (!address.TryFormat(buffer[Position..], out var written))
        {
            throw new ArgumentException("the line is longer than its buffer");
        }

        Position += written;
    }
}

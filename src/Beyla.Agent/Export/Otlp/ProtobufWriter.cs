using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Writes protocol buffers (https://protobuf.dev/programming-guides/encoding) into memory that grows and is used again. One thread.
/// </summary>
public sealed class ProtobufWriter
{
    private const int VarintType = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;

    private byte[] buffer;

    /// <param name="room">Bytes for which there is room at first.</param>
    public ProtobufWriter(int room = 4096) => buffer = new byte[room];

    /// <param name="memory">Where to; another array takes its place when it is too small.</param>
    internal ProtobufWriter(byte[] memory) => buffer = memory;

    /// <summary>How many bytes are written.</summary>
    public int Length { get; private set; }

    /// <summary>What is written; valid until the next change.</summary>
    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, Length);

    /// <summary>The memory that it keeps, bytes.</summary>
    public int Capacity => buffer.Length;

    /// <summary>Begins anew in other memory.</summary>
    internal void Begin(byte[] memory) => (buffer, Length) = (memory, 0);

    /// <summary>Begins anew, in the same memory.</summary>
    public void Clear() => Length = 0;

    /// <summary>Takes back all behind a length that it had.</summary>
    public void Cut(int length) => Length = length;

    /// <summary>Writes bytes as they are: fields that were encoded before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Raw(ReadOnlySpan<byte> encoded) => encoded.CopyTo(Next(encoded.Length));

    /// <summary>A field of a whole number or an enumeration. The default, 0, is written too.</summary>
    public void Number(int field, ulong value)
    {
        var target = Room(20);
        var length = PutVarint(target, (uint)((field << 3) | VarintType));
        Length += length + PutVarint(target[length..], value);
    }

    /// <summary>A field of type sint32: zigzag, so that what is near zero is short.</summary>
    public void Signed(int field, int value) => Number(field, (uint)((value << 1) ^ (value >> 31)));

    /// <summary>One number of a packed field that was begun.</summary>
    public void Varint(ulong value) => Length += PutVarint(Room(10), value);

    /// <summary>A field of type fixed64, sfixed64 or double.</summary>
    public void Fixed(int field, ulong value)
    {
        var target = Room(18);
        var length = PutVarint(target, (uint)((field << 3) | Fixed64));
        BinaryPrimitives.WriteUInt64LittleEndian(target[length..], value);
        Length += length + sizeof(ulong);
    }

    /// <summary>A field of type double.</summary>
    public void Double(int field, double value) => Fixed(field, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>A field of type fixed32.</summary>
    public void Fixed(int field, uint value)
    {
        var target = Room(14);
        var length = PutVarint(target, (uint)((field << 3) | Fixed32));
        BinaryPrimitives.WriteUInt32LittleEndian(target[length..], value);
        Length += length + sizeof(uint);
    }

    /// <summary>Begins a field of bytes or of a message whose length is known.</summary>
    public void Head(int field, int length)
    {
        var target = Room(20);
        var head = PutVarint(target, (uint)((field << 3) | Bytes));
        Length += head + PutVarint(target[head..], (uint)length);
    }

    /// <summary>A field of bytes.</summary>
    public void Blob(int field, ReadOnlySpan<byte> value)
    {
        Head(field, value.Length);
        Raw(value);
    }

    /// <summary>A field of text. What is not UTF-8 in it becomes U+FFFD, since a receiver refuses a whole request for it.</summary>
    public void Text(int field, ReadOnlySpan<byte> value)
    {
        if (IsText(value))
        {
            Blob(field, value);
        }
        else
        {
            Blob(field, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(value)));
        }
    }

    /// <summary>A field of text. Allocates.</summary>
    public void Text(int field, string value) => Blob(field, Encoding.UTF8.GetBytes(value));

    /// <summary>Begins a message of unknown length.</summary>
    /// <param name="field">Number of its field.</param>
    /// <param name="guess">Bytes that its length will take; where that is right, nothing is moved at the end.</param>
    /// <returns>To be given to <see cref="End"/>, with the same guess.</returns>
    public int Begin(int field, int guess = 1)
    {
        var target = Room(15);
        Length += PutVarint(target, (uint)((field << 3) | Bytes)) + guess;
        return Length;
    }

    /// <summary>Ends the message that was begun last.</summary>
    public void End(int begun, int guess = 1)
    {
        var length = Length - begun;
        var more = LengthOf((uint)length) - guess;
        if (more != 0)
        {
            _ = Room(Math.Max(0, more));
            buffer.AsSpan(begun, length).CopyTo(buffer.AsSpan(begun + more));
            Length += more;
        }

        _ = PutVarint(buffer.AsSpan(begun - guess), (uint)length);
    }

    /// <summary>Bytes of a number as a varint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LengthOf(uint value) => value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;

    /// <summary>Whether these bytes can be a text as they are.</summary>
    internal static bool IsText(ReadOnlySpan<byte> value)
    {
        // Most are short and of ASCII, for which a call would cost more than the look.
        ulong high = 0;
        if (value.Length is >= sizeof(ulong) and <= 64)
        {
            for (var rest = value; rest.Length > sizeof(ulong); rest = rest[sizeof(ulong)..])
            {
                high |= BinaryPrimitives.ReadUInt64LittleEndian(rest);
            }

            high |= BinaryPrimitives.ReadUInt64LittleEndian(value[^sizeof(ulong)..]);
            return (high & 0x8080_8080_8080_8080) == 0 || Utf8.IsValid(value);
        }

        if (value.Length > 64)
        {
            return Utf8.IsValid(value);
        }

        foreach (var one in value)
        {
            high |= one;
        }

        return high < 0x80 || Utf8.IsValid(value);
    }

    /// <summary>The next bytes, which the caller fills.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<byte> Next(int length)
    {
        var target = Room(length)[..length];
        Length += length;
        return target;
    }

    /// <summary>A copy of what is written in an array of <see cref="BatchBuffers"/>.</summary>
    internal byte[] Copy()
    {
        var copy = BatchBuffers.Take(Length);
        Written.CopyTo(copy);
        return copy;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PutVarint(Span<byte> target, ulong value)
    {
        if (value < 0x80)
        {
            target[0] = (byte)value;
            return 1;
        }

        return PutLongVarint(target, value);
    }

    private static int PutLongVarint(Span<byte> target, ulong value)
    {
        var length = 0;
        while (value >= 0x80)
        {
            target[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[length] = (byte)value;
        return length + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Room(int length)
    {
        if (buffer.Length - Length < length)
        {
            Grow(length);
        }

        return buffer.AsSpan(Length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int length) => Array.Resize(ref buffer, Math.Max(2 * buffer.Length, Length + length));
}

using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Beyla.Agent.Metrics;

/// <summary>
/// Puts the values of the attributes of one measurement together, in the order of the definition: each with its length (two bytes,
/// little-endian) before it; one that there is not is empty. Does not allocate.
/// </summary>
public ref struct SeriesKey
{
    /// <summary>Enough for the attributes of any metric: at most twelve, of at most <see cref="Longest"/> bytes.</summary>
    public const int Room = 12 * (Longest + sizeof(ushort));

    /// <summary>Longer values are cut.</summary>
    public const int Longest = 255;

    private readonly Span<byte> room;
    private int used;

    /// <param name="room">At least <see cref="Room"/> bytes.</param>
    public SeriesKey(Span<byte> room) => this.room = room;

    /// <summary>What was put together.</summary>
    public readonly ReadOnlySpan<byte> Written => room[..used];

    /// <summary>A number that two keys have in common only when they are equal, or by a rare chance.</summary>
    /// <param name="written">A key that was put together.</param>
    public static ulong HashOf(ReadOnlySpan<byte> written)
    {
        const ulong prime = 0x9E3779B97F4A7C15;
        var rest = written;
        var hash = (ulong)rest.Length * prime;
        while (rest.Length >= sizeof(ulong))
        {
            hash = (hash ^ MemoryMarshal.Read<ulong>(rest)) * prime;
            hash ^= hash >> 29;
            rest = rest[sizeof(ulong)..];
        }

        foreach (var b in rest)
        {
            hash = (hash ^ b) * prime;
        }

        return hash ^ (hash >> 32);
    }

    /// <summary>The same key with some attributes left out.</summary>
    /// <param name="written">A key that was put together.</param>
    /// <param name="selected">A bit for each attribute that stays, the first one lowest.</param>
    /// <param name="room">At least <see cref="Room"/> bytes.</param>
    public static ReadOnlySpan<byte> Select(ReadOnlySpan<byte> written, uint selected, Span<byte> room)
    {
        var key = new SeriesKey(room);
        for (; !written.IsEmpty; selected >>= 1)
        {
            var end = sizeof(ushort) + BinaryPrimitives.ReadUInt16LittleEndian(written);
            key.Add((selected & 1) != 0 ? written[sizeof(ushort)..end] : default);
            written = written[end..];
        }

        return key.Written;
    }

    /// <summary>The next attribute.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(scoped ReadOnlySpan<byte> value)
    {
        if (value.Length > Longest)
        {
            value = value[..Longest];
        }

        BinaryPrimitives.WriteUInt16LittleEndian(room[used..], (ushort)value.Length);
        value.CopyTo(room[(used + sizeof(ushort))..]);
        used += sizeof(ushort) + value.Length;
    }

    /// <summary>The next attribute: a name of the configuration. One that is too long is left out, as it cannot be cut anywhere.</summary>
    public void Add(string? value)
    {
        Span<byte> text = stackalloc byte[Longest];
        Add(Encoding.UTF8.TryGetBytes(value ?? "", text, out var length) ? text[..length] : default);
    }

    /// <summary>The next attribute; a negative number is none.</summary>
    public void Add(long value)
    {
        // Right where it stays: most are a status or a port.
        var digits = room[(used + sizeof(ushort))..];
        var length = 0;
        if (value is >= 0 and < 100_000)
        {
            var rest = (uint)value;
            length = rest < 10 ? 1 : rest < 100 ? 2 : rest < 1000 ? 3 : rest < 10_000 ? 4 : 5;
            for (var i = length - 1; i >= 0; i--)
            {
                (rest, var digit) = Math.DivRem(rest, 10);
                digits[i] = (byte)('0' + digit);
            }
        }
        else if (value >= 0)
        {
            _ = Utf8Formatter.TryFormat(value, digits, out length);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(room[used..], (ushort)length);
        used += sizeof(ushort) + length;
    }
}

using System.Buffers.Binary;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Reads the fields of a message (https://protobuf.dev/programming-guides/encoding). What is not a message ends it: nothing throws.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;

    /// <summary>Number of the field that was read.</summary>
    public int Field { get; private set; }

    /// <summary>Its wire type: 0 varint, 1 fixed64, 2 bytes, 5 fixed32.</summary>
    public int Type { get; private set; }

    /// <summary>Whether it is bytes, a text, a message or packed.</summary>
    public readonly bool IsBytes => Type == 2;

    /// <summary>The value of a number, as its bits.</summary>
    public ulong Number { get; private set; }

    /// <summary>The value of a field of bytes.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Whether all was a message.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Reads the next field; false at the end, or where this is no message.</summary>
    public bool Read()
    {
        if (rest.IsEmpty)
        {
            return false;
        }

        IsWhole = TryVarint(ref rest, out var head) && TryValue((int)(head & 7));
        (Field, Type) = ((int)(head >> 3), (int)(head & 7));
        rest = IsWhole ? rest : default;
        return IsWhole;
    }

    /// <summary>Takes a varint off the front.</summary>
    internal static bool TryVarint(ref ReadOnlySpan<byte> from, out ulong value)
    {
        value = 0;
        for (var i = 0; i < from.Length && i < 10; i++)
        {
            value |= (ulong)(from[i] & 0x7f) << (7 * i);
            if (from[i] < 0x80)
            {
                from = from[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    private bool TryValue(int type)
    {
        Number = 0;
        Bytes = default;
        switch (type)
        {
            case 0:
                var isRead = TryVarint(ref rest, out var number);
                Number = number;
                return isRead;
            case 1 when rest.Length >= sizeof(ulong):
                Number = BinaryPrimitives.ReadUInt64LittleEndian(rest);
                rest = rest[sizeof(ulong)..];
                return true;
            case 2 when TryVarint(ref rest, out var length) && length <= (ulong)rest.Length:
                Bytes = rest[..(int)length];
                rest = rest[(int)length..];
                return true;
            case 5 when rest.Length >= sizeof(uint):
                Number = BinaryPrimitives.ReadUInt32LittleEndian(rest);
                rest = rest[sizeof(uint)..];
                return true;
            default:
                return false;
        }
    }
}

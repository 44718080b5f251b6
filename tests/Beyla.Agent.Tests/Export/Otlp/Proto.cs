using System.Buffers.Binary;
using System.Text;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>
/// Protocol buffers by the book and without anything of the agent: https://protobuf.dev/programming-guides/encoding. What is right is
/// built with this.
/// </summary>
internal static class Proto
{
    internal static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value > 0x7f; value >>= 7)
        {
            bytes.Add((byte)((value & 0x7f) | 0x80));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }

    internal static byte[] Int(int field, ulong value) => [.. Varint((ulong)field << 3), .. Varint(value)];

    internal static byte[] ZigZag(int field, int value) => Int(field, (uint)((value << 1) ^ (value >> 31)));

    internal static byte[] Fixed64(int field, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return [.. Varint(((ulong)field << 3) | 1), .. bytes];
    }

    internal static byte[] Double(int field, double value) => Fixed64(field, BitConverter.DoubleToUInt64Bits(value));

    internal static byte[] Fixed32(int field, uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return [.. Varint(((ulong)field << 3) | 5), .. bytes];
    }

    /// <summary>Bytes, or a message of these fields.</summary>
    internal static byte[] Len(int field, params byte[][] parts)
    {
        byte[] content = [.. parts.SelectMany(static part => part)];
        return [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)content.Length), .. content];
    }

    internal static byte[] Text(int field, string value) => Len(field, Encoding.UTF8.GetBytes(value));

    internal static byte[] Hex(int field, string digits) => Len(field, Convert.FromHexString(digits));

    /// <summary>KeyValue: key 1, value 2 AnyValue, string 1.</summary>
    internal static byte[] Attribute(int field, string key, string value) => Len(field, Text(1, key), Len(2, Text(1, value)));

    /// <summary>KeyValue: key 1, value 2 AnyValue, int 3.</summary>
    internal static byte[] Attribute(int field, string key, long value) => Len(field, Text(1, key), Len(2, Int(3, (ulong)value)));

    /// <summary>The fields of a message, in hexadecimal digits and in order, so that it does not matter which came first.</summary>
    internal static string[] Sorted(ReadOnlySpan<byte> message)
    {
        var fields = new List<string>();
        while (!message.IsEmpty)
        {
            var rest = message;
            var type = (int)(Take(ref rest) & 7);
            switch (type)
            {
                case 0:
                    _ = Take(ref rest);
                    break;
                case 1:
                    rest = rest[8..];
                    break;
                case 2:
                    var length = (int)Take(ref rest);
                    rest = rest[length..];
                    break;
                case 5:
                    rest = rest[4..];
                    break;
                default:
                    throw new InvalidDataException($"wire type {type}");
            }

            fields.Add(Convert.ToHexString(message[..(message.Length - rest.Length)]));
            message = rest;
        }

        return [.. fields.Order(StringComparer.Ordinal)];
    }

    /// <summary>The same of fields that were built here.</summary>
    internal static string[] SortedFields(params byte[][] fields) => [.. fields.Select(Convert.ToHexString).Order(StringComparer.Ordinal)];

    private static ulong Take(ref ReadOnlySpan<byte> from)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = from[0];
            from = from[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}

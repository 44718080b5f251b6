using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Writes attributes: KeyValue with key 1 and value 2, an AnyValue with string 1 and int 3 (opentelemetry/proto/common/v1/common.proto).
/// </summary>
public static class AttributeWriter
{
    // Up to here a length, and the tag of a field, takes one byte; and the bytes between a name and the text of a short attribute.
    private const int OneByte = 0x7f, LastShortField = 15, Inner = 4;

    /// <summary>The field of a name, encoded once for use with the members that take encoded names.</summary>
    public static byte[] Encode(string name)
    {
        var writer = new ProtobufWriter(2 * name.Length + 8);
        writer.Text(1, name);
        return writer.Written.ToArray();
    }

    /// <summary>An attribute that is a text.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="field">Number of the field of attributes in the message around.</param>
    /// <param name="name">The name, of <see cref="Encode"/>.</param>
    /// <param name="value">The text.</param>
    public static void Text(ProtobufWriter writer, int field, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!ProtobufWriter.IsText(value))
        {
            value = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(value));
        }

        // The tag of the attribute, its length, the name, the tag of the value, its length, the tag of the text, its length, the text.
        var whole = name.Length + Inner + value.Length;
        if (whole <= OneByte && field <= LastShortField)
        {
            var target = writer.Next(2 + whole);
            target[0] = (byte)((field << 3) | 2);
            target[1] = (byte)whole;
            name.CopyTo(target[2..]);
            target = target[(2 + name.Length)..];
            BinaryPrimitives.WriteUInt32LittleEndian(target, 0x0a_00_12 | ((2 + (uint)value.Length) << 8) | ((uint)value.Length << 24));
            value.CopyTo(target[Inner..]);
            return;
        }

        var any = 1 + ProtobufWriter.LengthOf((uint)value.Length) + value.Length;
        writer.Head(field, name.Length + 1 + ProtobufWriter.LengthOf((uint)any) + any);
        writer.Raw(name);
        writer.Head(2, any);
        writer.Blob(1, value);
    }

    /// <summary>An attribute that is a whole number.</summary>
    public static void Number(ProtobufWriter writer, int field, ReadOnlySpan<byte> name, long value)
    {
        var whole = name.Length + Inner + 1;
        if (value is >= 0x80 and < 0x4000 && whole <= OneByte && field <= LastShortField)
        {
            // Most are a status or a port: two bytes, seven bits in each, behind the tags of the value and of the number in it.
            var target = writer.Next(2 + whole);
            target[0] = (byte)((field << 3) | 2);
            target[1] = (byte)whole;
            name.CopyTo(target[2..]);
            target = target[(2 + name.Length)..];
            BinaryPrimitives.WriteUInt32LittleEndian(target, 0x18_03_12u | (uint)((value & 0x7f) | 0x80) << 24);
            target[Inner] = (byte)(value >> 7);
            return;
        }

        var attribute = writer.Begin(field);
        writer.Raw(name);
        var any = writer.Begin(2);
        writer.Number(3, (ulong)value);
        writer.End(any);
        writer.End(attribute);
    }

    /// <summary>Attributes of a resource: texts and whole numbers. Allocates.</summary>
    public static void All(ProtobufWriter writer, int field, IEnumerable<KeyValuePair<string, object>> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            if (value is long number)
            {
                Number(writer, field, Encode(name), number);
            }
            else
            {
                Text(writer, field, Encode(name), Encoding.UTF8.GetBytes((string)value));
            }
        }
    }

    /// <summary>A text that is cut to so many characters, as OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text, int limit) => text.Length <= limit ? text : CutLong(text, limit);

    private static ReadOnlySpan<byte> CutLong(ReadOnlySpan<byte> text, int limit)
    {
        var (position, characters) = (0, 0);
        while (position < text.Length && characters < limit)
        {
            _ = Rune.DecodeFromUtf8(text[position..], out _, out var length);
            position += Math.Max(1, length);
            characters++;
        }

        return text[..position];
    }
}

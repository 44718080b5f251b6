using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Writes requests in JSON that were encoded in protocol buffers, so that there is one encoder (OpenTelemetry Protocol specification, "JSON
/// Protobuf Encoding": names in lowerCamelCase, identities in hexadecimal digits, enumerations as numbers, numbers of 64 bits as texts).
/// </summary>
public static class OtlpJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a request in JSON, in one line without a line feed.</summary>
    /// <param name="request">The request in protocol buffers, as this agent makes them.</param>
    /// <param name="signal">What it holds.</param>
    public static ReadOnlyMemory<byte> Encode(ReadOnlySpan<byte> request, OtlpSignal signal)
    {
        var output = new ArrayBufferWriter<byte>(4 * request.Length + 256);
        using (var writer = new Utf8JsonWriter(output, Options))
        {
            Message(request, signal.Request, writer);
        }

        return output.WrittenMemory;
    }

    private static void Message(ReadOnlySpan<byte> message, OtlpMessage form, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        // What is the same field need not stand together, and a list in JSON has to.
        foreach (var field in form.Fields)
        {
            var any = false;
            var reader = new ProtobufReader(message);
            while (reader.Read())
            {
                if (reader.Field != field.Number)
                {
                    continue;
                }

                if (!any)
                {
                    writer.WritePropertyName(field.Name);
                    if (field.IsRepeated)
                    {
                        writer.WriteStartArray();
                    }
                }

                any = true;
                Value(ref reader, field, writer);
                if (!field.IsRepeated)
                {
                    break;
                }
            }

            if (any && field.IsRepeated)
            {
                writer.WriteEndArray();
            }
        }

        writer.WriteEndObject();
    }

    private static void Value(ref ProtobufReader reader, OtlpField field, Utf8JsonWriter writer)
    {
        switch (field.Type)
        {
            case OtlpType.Text:
                writer.WriteStringValue(reader.Bytes);
                break;
            case OtlpType.Identity:
                writer.WriteStringValue(Convert.ToHexStringLower(reader.Bytes));
                break;
            case OtlpType.Number:
                writer.WriteNumberValue((uint)reader.Number);
                break;
            case OtlpType.Signed:
                writer.WriteNumberValue((int)(uint)(reader.Number >> 1) ^ -(int)(reader.Number & 1));
                break;
            case OtlpType.Long:
                writer.WriteStringValue(reader.Number.ToString(CultureInfo.InvariantCulture));
                break;
            case OtlpType.LongSigned:
                writer.WriteStringValue(((long)reader.Number).ToString(CultureInfo.InvariantCulture));
                break;
            case OtlpType.Double:
                Double(reader.Number, writer);
                break;
            case OtlpType.Boolean:
                writer.WriteBooleanValue(reader.Number != 0);
                break;
            case OtlpType.Message:
                Message(reader.Bytes, field.Message!, writer);
                break;
            default:
                Packed(reader.Bytes, field.Type, writer);
                break;
        }
    }

    private static void Packed(ReadOnlySpan<byte> values, OtlpType type, Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        while (!values.IsEmpty)
        {
            ulong value;
            if (type == OtlpType.PackedVarint)
            {
                if (!ProtobufReader.TryVarint(ref values, out value))
                {
                    break;
                }
            }
            else
            {
                value = BinaryPrimitives.ReadUInt64LittleEndian(values);
                values = values[sizeof(ulong)..];
            }

            if (type == OtlpType.PackedDouble)
            {
                Double(value, writer);
            }
            else
            {
                writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
            }
        }

        writer.WriteEndArray();
    }

    /// <summary>What is no number is a text in JSON (ProtoJSON, "double").</summary>
    private static void Double(ulong bits, Utf8JsonWriter writer)
    {
        var value = BitConverter.UInt64BitsToDouble(bits);
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteStringValue(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        }
    }
}

using System.Text.Json;

namespace Beyla;

/// <summary>
/// Reads the attributes of a span: the object <c>attributes</c>, and the fields that version 1 of the stream had for them.
/// </summary>
internal static class AttributeParser
{
    /// <summary>The attributes that were fields in version 1, in the order of the table.</summary>
    private static readonly SpanAttribute[] Fields =
        [.. SpanAttributes.All.Where(static row => row is { IsEnvelope: false, ShortName: not null }).Select(static row => row.Attribute)];

    /// <summary>Names of those fields.</summary>
    internal static IEnumerable<string> FieldNames => Fields.Select(static one => SpanAttributes.Of(one).ShortName!);

    /// <summary>
    /// Reads the object. Of what the table does not have, texts and whole numbers are kept as they are, other values as their text, and
    /// lists and objects are passed over.
    /// </summary>
    /// <returns>The name of an attribute whose value is wrong; null when all is well.</returns>
    internal static string? Read(ref Utf8JsonReader reader, ValueCache cache, List<AttributeEntry> to)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return "attributes";
        }

        var expected = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var known = FieldReader.Find(ref reader, SpanAttributes.Names, ref expected);
            if (known >= 0)
            {
                _ = reader.Read();
                if (!ReadKnown(ref reader, cache, (SpanAttribute)known, to))
                {
                    return SpanAttributes.Of((SpanAttribute)known).Name;
                }
            }
            else
            {
                _ = FieldReader.Text(ref reader, cache, out var name);
                _ = reader.Read();
                ReadOther(ref reader, cache, name, to);
            }
        }

        return null;
    }

    /// <summary>Reads the value of the n-th of <see cref="FieldNames"/>. False when it has the wrong type.</summary>
    internal static bool ReadField(ref Utf8JsonReader reader, ValueCache cache, int field, List<AttributeEntry> to) =>
        ReadKnown(ref reader, cache, Fields[field], to);

    private static bool ReadKnown(ref Utf8JsonReader reader, ValueCache cache, SpanAttribute attribute, List<AttributeEntry> to)
    {
        var row = SpanAttributes.Of(attribute);
        AttributeEntry entry;
        if (!row.IsNumber)
        {
            if (!FieldReader.Text(ref reader, cache, out var text))
            {
                return false;
            }

            entry = AttributeEntry.Of(attribute, text);
        }
        else if (FieldReader.Integer(ref reader, 0, long.MaxValue, out var number))
        {
            entry = AttributeEntry.Of(attribute, number);
            if (number == 0 && attribute == SpanAttribute.HttpResponseStatusCode)
            {
                return true; // how version 1 says that there was no response
            }
        }
        else
        {
            return false;
        }

        if (!row.IsEnvelope)
        {
            entry.AddTo(to);
        }

        return true;
    }

    private static void ReadOther(ref Utf8JsonReader reader, ValueCache cache, string name, List<AttributeEntry> to)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                _ = FieldReader.Text(ref reader, cache, out var text);
                new AttributeEntry(name, null, text, 0).AddTo(to);
                break;
            case JsonTokenType.Number when reader.TryGetInt64(out var number):
                new AttributeEntry(name, null, null, number).AddTo(to);
                break;
            case JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False:
                new AttributeEntry(name, null, System.Text.Encoding.UTF8.GetString(reader.ValueSpan), 0).AddTo(to);
                break;
            default:
                reader.Skip();
                break;
        }
    }
}

using System.Net;
using System.Text.Json;

namespace Beyla;

/// <summary>Reads the fields of a line. The agent writes them in a fixed order, so the next expected name is tried first.</summary>
internal static class FieldReader
{
    /// <summary>Index of the field whose name the reader stands on, -1 when it is not in the table.</summary>
    internal static int Find(ref Utf8JsonReader reader, byte[][] fields, ref int expected)
    {
        // Optional fields are left out, so the match is mostly at the expected place or a little behind it.
        for (var i = 0; i < fields.Length; i++)
        {
            var index = expected + i;
            if (index >= fields.Length)
            {
                index -= fields.Length;
            }

            if (reader.ValueTextEquals(fields[index]))
            {
                expected = index + 1 == fields.Length ? 0 : index + 1;
                return index;
            }
        }

        return -1;
    }

    /// <summary>Names of fields in UTF-8, for <see cref="Find"/>.</summary>
    internal static byte[][] Table(params string[] names) => Array.ConvertAll(names, System.Text.Encoding.UTF8.GetBytes);

    /// <summary>
    /// A string, or the name of a property; invalid UTF-8 throws <see cref="InvalidOperationException"/>. False when it is neither.
    /// </summary>
    internal static bool Text(ref Utf8JsonReader reader, ValueCache cache, out string value)
    {
        value = "";
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
        {
            return false;
        }

        // GetString also checks the UTF-8; the cache takes only plain ASCII, which needs no check.
        value = !reader.ValueIsEscaped && System.Text.Ascii.IsValid(reader.ValueSpan)
            ? cache.String(reader.ValueSpan) : reader.GetString()!;
        return true;
    }

    /// <summary>A string that no other line will have: it does not take the place of one that repeats. False when it is none.</summary>
    internal static bool Identity(ref Utf8JsonReader reader, out string value)
    {
        value = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        return reader.TokenType == JsonTokenType.String;
    }

    /// <summary>An IPv4 or IPv6 address in a string; false when it is none.</summary>
    internal static bool Address(ref Utf8JsonReader reader, ValueCache cache, out IPAddress value)
    {
        value = IPAddress.None;
        if (reader.TokenType != JsonTokenType.String || cache.Address(reader.ValueSpan) is not { } address)
        {
            return false;
        }

        value = address;
        return true;
    }

    /// <summary>A whole number within the bounds, both included; false when it is none.</summary>
    internal static bool Integer(ref Utf8JsonReader reader, long minimum, long maximum, out long value)
    {
        value = 0;
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out value) && value >= minimum && value <= maximum;
    }

    /// <summary>A number from 0 to 65535; false when it is none.</summary>
    internal static bool Port(ref Utf8JsonReader reader, out int value)
    {
        var good = Integer(ref reader, 0, ushort.MaxValue, out var port);
        value = (int)port;
        return good;
    }

    /// <summary>A number from 0 to 2147483647; false when it is none.</summary>
    internal static bool Number(ref Utf8JsonReader reader, out int value)
    {
        var good = Integer(ref reader, 0, int.MaxValue, out var number);
        value = (int)number;
        return good;
    }

    /// <summary>Microseconds; the limit is what a TimeSpan can hold.</summary>
    internal static bool Duration(ref Utf8JsonReader reader, out TimeSpan value)
    {
        const long longest = 366L * 86400 * 1_000_000; // a year: nothing that is traced lives longer, and no sum overflows
        var good = Integer(ref reader, 0, longest, out var microseconds);
        value = new TimeSpan(microseconds * TimeSpan.TicksPerMicrosecond);
        return good;
    }

    /// <summary>A time in ISO 8601; false when it is none.</summary>
    internal static bool Time(ref Utf8JsonReader reader, out DateTimeOffset value)
    {
        value = default;
        // The last years of the calendar are refused so that start plus duration stays in range.
        return reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out value) && value.Year is > 1 and < 9000;
    }
}

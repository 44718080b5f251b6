using System.Globalization;
using System.Text.Json;

namespace Beyla.Live.Tests.Export;

/// <summary>Values of OTLP's JSON form (opentelemetry-specification, protocol/otlp.md, "JSON Protobuf Encoding"), read strictly.</summary>
internal static class OtlpValue
{
    /// <summary>
    /// Attributes by key: string, bool, long, double, an array of these, or the hexadecimal digits of bytes. A key that comes twice is an
    /// error (common.proto: "The keys of attributes MUST be unique").
    /// </summary>
    public static IReadOnlyDictionary<string, object> Attributes(JsonElement parent, string name = "attributes")
    {
        Dictionary<string, object> read = new(StringComparer.Ordinal);
        foreach (JsonElement pair in OtlpRequest.List(parent, name))
        {
            string key = pair.GetProperty("key").GetString()!;
            Assert.NotEmpty(key);
            Assert.True(read.TryAdd(key, AnyValue(pair.GetProperty("value"))), $"{key} is there twice");
        }

        return read;
    }

    /// <summary>An AnyValue, which has exactly one member.</summary>
    public static object AnyValue(JsonElement value)
    {
        JsonProperty member = Assert.Single(value.EnumerateObject());
        return member.Name switch
        {
            "stringValue" => member.Value.GetString()!,
            "boolValue" => member.Value.GetBoolean(),
            "intValue" => Long(member.Value),
            "doubleValue" => Double(member.Value),
            "arrayValue" => OtlpRequest.List(member.Value, "values").Select(AnyValue).ToArray(),
            "bytesValue" => member.Value.GetString()!,
            "kvlistValue" => Attributes(member.Value, "values"),
            _ => throw new FormatException($"AnyValue has no {member.Name}."),
        };
    }

    /// <summary>A 64-bit integer: a string in JSON.</summary>
    public static long Long(JsonElement value)
    {
        Assert.Equal(JsonValueKind.String, value.ValueKind);
        return long.Parse(value.GetString()!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }

    /// <summary>A 64-bit integer that is 0 where it is missing.</summary>
    public static long Long(JsonElement parent, string name) => OtlpRequest.Optional(parent, name) is { } value ? Long(value) : 0;

    /// <summary>A 32-bit integer or enumeration, a number in JSON; 0 where it is missing.</summary>
    public static int Int(JsonElement parent, string name) => OtlpRequest.Optional(parent, name)?.GetInt32() ?? 0;

    /// <summary>A number, or one of the strings <c>NaN</c>, <c>Infinity</c>, <c>-Infinity</c>.</summary>
    public static double Double(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetDouble();

    /// <summary>A string that is empty where it is missing.</summary>
    public static string Text(JsonElement parent, string name) => OtlpRequest.Optional(parent, name)?.GetString() ?? "";

    /// <summary>An id of exactly so many bytes as lower case hexadecimal digits; empty where it is missing and may be.</summary>
    public static string Id(JsonElement parent, string name, int bytes, bool required = true)
    {
        string id = Text(parent, name);
        Assert.True(
            (id.Length == 2 * bytes && id.All(char.IsAsciiHexDigit) && id.Any(digit => digit != '0')) || (!required && id.Length == 0),
            $"{name} is '{id}'");
        return id.ToLowerInvariant();
    }
}

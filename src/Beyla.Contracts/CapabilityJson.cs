using System.Text.Json;
using System.Text.Json.Serialization;

namespace Beyla;

/// <summary>Writes and reads a <see cref="CapabilityReport"/> as JSON, without reflection.</summary>
public static class CapabilityJson
{
    /// <summary>One line of JSON.</summary>
    public static string Write(CapabilityReport report) => JsonSerializer.Serialize(report, CapabilityJsonContext.Default.CapabilityReport);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not such a report.</exception>
    public static CapabilityReport Read(string json) =>
        JsonSerializer.Deserialize(json, CapabilityJsonContext.Default.CapabilityReport)
            ?? throw new JsonException("a capability report is an object, not null");
}

/// <summary>Capabilities travel by the kernel's name.</summary>
internal sealed class CapabilityNameConverter : JsonConverter<Capability>
{
    /// <inheritdoc/>
    public override Capability Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        CapabilityNames.TryParse(reader.GetString(), out var capability)
            ? capability
            : throw new JsonException($"'{reader.GetString()}' is not the name of a capability");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Capability value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Name());
}

/// <summary>The serializer of the report, generated at build time: the agent is compiled ahead of time and has no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, Converters = [typeof(CapabilityNameConverter)])]
[JsonSerializable(typeof(CapabilityReport))]
internal sealed partial class CapabilityJsonContext : JsonSerializerContext;

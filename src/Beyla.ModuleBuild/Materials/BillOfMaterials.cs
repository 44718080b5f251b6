using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Beyla.ModuleBuild.Materials;

/// <summary>
/// Writes a bill of materials as CycloneDX 1.6 in JSON (ECMA-424, https://cyclonedx.org/docs/1.6/json/). The same inventory gives the same
/// bytes: the serial number is made from the content, and a time is there only when SOURCE_DATE_EPOCH gives one.
/// </summary>
internal static class BillOfMaterials
{
    private const string Agent = "bin/beyla";

    /// <summary>The document.</summary>
    /// <param name="inventory">What is shipped.</param>
    /// <param name="package">The package of the module, which the document is about; its hash is in it.</param>
    /// <param name="version">The version of the module.</param>
    /// <param name="epoch">Seconds since 1970 that count as the time of the document; null for none.</param>
    public static byte[] Write(Inventory inventory, string package, string version, long? epoch)
    {
        var subject = new Component
        {
            Type = "application", Name = "Beyla", Version = version, License = "Apache-2.0",
            Purl = Component.PackageUrl("nuget", "Beyla", version),
            Hashes = [("SHA-256", Inventory.Hash(package))],
        };
        var content = Document(inventory, subject, epoch, null);
        return Document(inventory, subject, epoch, SerialNumber(SHA256.HashData(content)));
    }

    /// <summary>A UUID of version 8 (RFC 9562, section 5.8): its bits are the beginning of a hash.</summary>
    internal static string SerialNumber(ReadOnlySpan<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[16];
        hash[..16].CopyTo(bytes);
        bytes[6] = (byte)(0x80 | (bytes[6] & 0x0f));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return "urn:uuid:" + new Guid(bytes, bigEndian: true);
    }

    private static byte[] Document(Inventory inventory, Component subject, long? epoch, string? serialNumber)
    {
        using var stream = new MemoryStream();
        // Plain text for people too: a plus sign stays one. Nothing of it goes into HTML.
        var options = new JsonWriterOptions
        {
            Indented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
            json.WriteString("bomFormat", "CycloneDX");
            json.WriteString("specVersion", "1.6");
            Optional(json, "serialNumber", serialNumber);
            json.WriteNumber("version", 1);
            Metadata(json, inventory, subject, epoch);
            json.WriteStartArray("components");
            foreach (var component in inventory.Module.Concat(inventory.Programs).Concat(inventory.Linked)
                .Concat(inventory.Exporter.Packages).Concat(inventory.Tools))
            {
                Write(json, component);
            }

            json.WriteEndArray();
            json.WriteStartArray("dependencies");
            Dependency(json, subject, inventory.Module);
            Dependency(json, inventory.Module.Single(f => f.Name == Agent), inventory.Programs.Concat(inventory.Linked));
            foreach (var (file, package) in inventory.Exporter.Owners)
            {
                Dependency(json, inventory.Module.Single(f => f.Name == file), [package]);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void Metadata(Utf8JsonWriter json, Inventory inventory, Component subject, long? epoch)
    {
        json.WriteStartObject("metadata");
        if (epoch is { } seconds)
        {
            var time = DateTimeOffset.FromUnixTimeSeconds(seconds);
            json.WriteString("timestamp", time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        }

        json.WriteStartArray("lifecycles");
        json.WriteStartObject();
        json.WriteString("phase", "build");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WritePropertyName("component");
        Write(json, subject);
        Properties(json, Inventory.Toolchain);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Component component)
    {
        json.WriteStartObject();
        json.WriteString("type", component.Type);
        json.WriteString("bom-ref", component.Reference);
        json.WriteString("name", component.Name);
        Optional(json, "version", component.Version);
        Optional(json, "scope", component.BuildOnly ? "excluded" : component.Type == "file" ? null : "required");
        if (component.Hashes.Count > 0)
        {
            json.WriteStartArray("hashes");
            foreach (var (algorithm, hash) in component.Hashes)
            {
                json.WriteStartObject();
                json.WriteString("alg", algorithm);
                json.WriteString("content", hash);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        License(json, component);
        Optional(json, "purl", component.Purl);
        Properties(json, component.Properties);
        json.WriteEndObject();
    }

    private static void License(Utf8JsonWriter json, Component component)
    {
        if (component.License is null && component.LicenseUrl is null)
        {
            return;
        }

        json.WriteStartArray("licenses");
        json.WriteStartObject();
        if (component.License is { } expression)
        {
            json.WriteString("expression", expression);
        }
        else
        {
            json.WriteStartObject("license");
            json.WriteString("name", "as the package says");
            json.WriteString("url", component.LicenseUrl);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Properties(Utf8JsonWriter json, IReadOnlyList<(string Name, string Value)> properties)
    {
        if (properties.Count == 0)
        {
            return;
        }

        json.WriteStartArray("properties");
        foreach (var (name, value) in properties)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("value", value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Dependency(Utf8JsonWriter json, Component component, IEnumerable<Component> needs)
    {
        json.WriteStartObject();
        json.WriteString("ref", component.Reference);
        json.WriteStartArray("dependsOn");
        foreach (var need in needs)
        {
            json.WriteStringValue(need.Reference);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}

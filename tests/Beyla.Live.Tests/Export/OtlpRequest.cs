using System.Text.Json;

namespace Beyla.Live.Tests.Export;

/// <summary>One request that the receiver had.</summary>
/// <param name="Transport"><c>http</c> or <c>grpc</c>.</param>
/// <param name="Path">With the query, if any.</param>
/// <param name="Signal"><c>traces</c>, <c>metrics</c>, or null where the path is neither's.</param>
/// <param name="Headers">Names in lower case; with gRPC also its pseudo-header fields.</param>
/// <param name="Size">Bytes of the body as they came; with gRPC of the message, decompressed.</param>
/// <param name="BodySize">Bytes after decompression.</param>
/// <param name="Hash">SHA-256 of the bytes of <paramref name="Size"/>.</param>
/// <param name="At">When the request was complete.</param>
/// <param name="Tls">The version, as <c>TLSv1.3</c>; null without.</param>
/// <param name="ClientCertificate">The common name of the client's certificate, or null.</param>
/// <param name="Taken">Whether the answer was a success.</param>
/// <param name="Error">Why it could not be decoded, or null.</param>
/// <param name="Body">
/// The decoded request in OTLP's JSON form (enumerations as numbers, 64-bit integers as strings, ids as hexadecimal digits), also of one
/// that came as protobuf.
/// </param>
/// <param name="Summary">For messages.</param>
internal sealed record OtlpRequest(
    string Transport, string Path, string? Signal, IReadOnlyDictionary<string, string> Headers, int Size, int BodySize, string? Hash,
    DateTimeOffset At, string? Tls, string? ClientCertificate, bool Taken, string? Error, JsonElement Body, string Summary)
{
    public string? ContentType => Headers.GetValueOrDefault("content-type");

    /// <summary>Reads a line of the receiver.</summary>
    public static OtlpRequest Read(string line)
    {
        JsonElement root = JsonSerializer.Deserialize<JsonElement>(line);
        JsonElement? answer = Optional(root, "answer");
        string? error = Text("error");
        bool refused = error is not null || (answer is { } given && IsRefusal(given));
        return new OtlpRequest(
            Text("transport")!, Text("path")!, Text("signal"),
            root.GetProperty("headers").EnumerateObject().ToDictionary(
                header => header.Name, header => header.Value.ToString(), StringComparer.Ordinal),
            root.GetProperty("size").GetInt32(), Optional(root, "bodySize")?.GetInt32() ?? 0, Text("sha256"),
            DateTimeOffset.FromUnixTimeMilliseconds(root.GetProperty("at").GetInt64()), Text("tls"), Text("clientCertificate"), !refused,
            error, Optional(root, "body") ?? default, line.Length > 600 ? line[..600] : line);

        string? Text(string name) => Optional(root, name)?.GetString();
    }

    private static bool IsRefusal(JsonElement answer) =>
        Optional(answer, "close") is not null || Optional(answer, "huge") is not null
        || (Optional(answer, "status") is { } status && status.GetInt32() is not (0 or 200));

    /// <summary>A member that may be missing or null.</summary>
    public static JsonElement? Optional(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The elements of a list that may be missing, as protobuf has it for an empty one.</summary>
    public static IEnumerable<JsonElement> List(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && Optional(parent, name) is { } list ? list.EnumerateArray() : [];
}

using System.Globalization;
using System.Text.Json;

namespace Beyla.Live.Tests.Rig;

/// <summary>
/// A span as a program reads it that has no library of ours: one line of the stream, version 2 (docs/stream.md), by System.Text.Json. What
/// is not in the line is an empty text, or null.
/// </summary>
internal sealed class SpanRecord
{
    private readonly JsonElement line;
    private readonly Dictionary<string, string> attributes = new(StringComparer.Ordinal);

    private SpanRecord(JsonElement line)
    {
        this.line = line;
        if (line.TryGetProperty("attributes", out JsonElement values))
        {
            foreach (JsonProperty value in values.EnumerateObject())
            {
                this.attributes.Add(value.Name, value.Value.ToString());
            }
        }
    }

    /// <summary><c>server</c> or <c>client</c>.</summary>
    public string Kind => Text("kind");

    /// <summary><c>http</c>, <c>postgresql</c>, <c>redis</c>, <c>sql</c>.</summary>
    public string Protocol => Text("protocol");

    public string Name => Text("name");

    public string Outcome => Text("outcome");

    public string ErrorType => Text("errorType");

    public TimeSpan Duration => TimeSpan.FromMicroseconds(Number("durationUSec"));

    public DateTimeOffset Start => this.line.GetProperty("start").GetDateTimeOffset();

    public DateTimeOffset End => this.line.GetProperty("end").GetDateTimeOffset();

    public int ServerPort => (int)Number("serverPort");

    public int ClientPort => (int)Number("clientPort");

    public int Pid => (int)Number("pid");

    public int Tid => (int)Number("tid");

    public string Connection => Text("connection");

    /// <summary>32 hexadecimal digits.</summary>
    public string TraceId => Text("traceId");

    /// <summary>16 hexadecimal digits.</summary>
    public string SpanId => Text("spanId");

    /// <summary>The span id of the request that led to this one.</summary>
    public string ParentId => Text("parentId");

    /// <summary>How the agent knows the parent: <c>header</c>, <c>option</c>, <c>thread</c>, <c>goroutine</c>; <c>agreement</c> is a guess.
    /// </summary>
    public string ParentSource => Text("parentSource");

    /// <summary>db.query.text.</summary>
    public string Query => this["db.query.text"];

    /// <summary>db.operation.name, in capitals: clients write commands as they like.</summary>
    public string Operation => this["db.operation.name"].ToUpperInvariant();

    /// <summary>db.response.status_code: SQLSTATE or the first word of an error of Redis.</summary>
    public string Status => this["db.response.status_code"];

    /// <summary>db.response.returned_rows.</summary>
    public long? Rows => this["db.response.returned_rows"] is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>An attribute by its OpenTelemetry name, or an empty text.</summary>
    public string this[string attribute] => this.attributes.GetValueOrDefault(attribute, "");

    /// <summary>Reads a line.</summary>
    /// <returns>The span, or null where the line is something else.</returns>
    /// <exception cref="JsonException">The line is no JSON.</exception>
    public static SpanRecord? Read(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("type").GetString() == "span" ? new SpanRecord(document.RootElement.Clone()) : null;
    }

    /// <summary>How many there are of each sort; for messages.</summary>
    public static string Summarise(IEnumerable<SpanRecord> spans) => string.Join('\n', spans
        .GroupBy(span => $"{span.Kind} {span.Protocol} {span.Name} '{span.Query}' {span.Status} {span.Outcome}")
        .Select(group => $"{group.Count()} {group.Key}").Take(60));

    /// <summary>The line.</summary>
    public override string ToString() => this.line.GetRawText();

    private string Text(string name) => this.line.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : "";

    private long Number(string name) => this.line.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Beyla.PowerShell.Console;

/// <summary>The spans of one resource, as activities.</summary>
/// <param name="Resource">Names and values of the resource.</param>
/// <param name="Activities">The spans, in their order.</param>
internal sealed record ResourceActivities(IReadOnlyList<KeyValuePair<string, object>> Resource, IReadOnlyList<Activity> Activities);

/// <summary>
/// Reads a request in OTLP JSON, an ExportTraceServiceRequest (OpenTelemetry Protocol specification 1.11, "JSON Protobuf Encoding"), and
/// makes an activity of each span. What it does not know it passes over.
/// </summary>
/// <param name="visible">Makes text safe to show: what peers sent stands in it.</param>
internal sealed class RequestReader(Func<string, string> visible)
{
    // SpanKind of OTLP: 0 is none, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    private static readonly ActivityKind[] Kinds =
    [
        ActivityKind.Internal, ActivityKind.Internal, ActivityKind.Server, ActivityKind.Client, ActivityKind.Producer,
        ActivityKind.Consumer,
    ];

    private const int MaximumSources = 16, Ok = 1, Error = 2, NanosecondsPerTick = 100;

    private readonly Dictionary<(string Name, string Version), ActivitySource> sources = [];

    /// <summary>What a line says.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="FormatException">It is no request.</exception>
    internal IReadOnlyList<ResourceActivities> Read(string request)
    {
        using var document = JsonDocument.Parse(request);
        try
        {
            return
            [
                .. List(document.RootElement, "resourceSpans").Select(one => new ResourceActivities(
                    [.. one.TryGetProperty("resource", out var resource) ? Attributes(resource) : []],
                    [.. List(one, "scopeSpans").SelectMany(Scope)])),
            ];
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException or ArgumentException or OverflowException)
        {
            throw new FormatException($"The line is no request of OTLP: {error.Message}", error);
        }
    }

    private IEnumerable<Activity> Scope(JsonElement scope)
    {
        var its = scope.TryGetProperty("scope", out var found) ? found : default;
        var source = Source(Text(its, "name"), Text(its, "version"));
        return List(scope, "spans").Select(span => Activity(source, span));
    }

    private Activity Activity(ActivitySource source, JsonElement span)
    {
        var trace = ActivityTraceId.CreateFromString(Raw(span, "traceId"));
        var identity = ActivitySpanId.CreateFromString(Raw(span, "spanId"));
        var parent = Raw(span, "parentSpanId") is { Length: > 0 } known ? ActivitySpanId.CreateFromString(known) : default;
        // The lowest byte: flags of W3C Trace Context; above it are OTLP's own.
        var flags = (ActivityTraceFlags)((span.TryGetProperty("flags", out var bits) ? bits.GetUInt32() : 1) & 0xff);
        var kind = span.TryGetProperty("kind", out var number) && number.GetInt32() is var n && n < Kinds.Length ? Kinds[n] : default;
        var context = new ActivityContext(trace, parent, flags, Text(span, "traceState") is { Length: > 0 } state ? state : null);
        var activity = source.CreateActivity(
            Text(span, "name"), kind, context, Attributes(span).Select(static pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)))
            ?? throw new InvalidOperationException("No activity was made: nobody listens to the source.");
        SpanIdentity.Set(activity, trace, identity);
        activity.ActivityTraceFlags = flags;
        activity.SetStartTime(Time(span, "startTimeUnixNano")).SetEndTime(Time(span, "endTimeUnixNano"));
        if (span.TryGetProperty("status", out var status) && status.TryGetProperty("code", out var code))
        {
            var message = Text(status, "message");
            activity.SetStatus(
                code.GetInt32() switch { Ok => ActivityStatusCode.Ok, Error => ActivityStatusCode.Error, _ => ActivityStatusCode.Unset },
                message.Length > 0 ? message : null);
        }

        return activity;
    }

    private ActivitySource Source(string name, string version)
    {
        if (!sources.TryGetValue((name, version), out var source))
        {
            if (sources.Count == MaximumSources)
            {
                foreach (var old in sources.Values)
                {
                    old.Dispose();
                }

                sources.Clear();
            }

            sources[(name, version)] = source = new ActivitySource(name, version);
        }

        return source;
    }

    private IEnumerable<KeyValuePair<string, object>> Attributes(JsonElement owner) => List(owner, "attributes")
        .Select(pair => KeyValuePair.Create(Text(pair, "key"), pair.TryGetProperty("value", out var value) ? Value(value) : null))
        .Where(static pair => pair.Value is not null).Select(static pair => KeyValuePair.Create(pair.Key, pair.Value!));

    /// <summary>An AnyValue; null where it has none.</summary>
    private object? Value(JsonElement any)
    {
        foreach (var one in any.EnumerateObject())
        {
            switch (one.Name)
            {
                case "stringValue": return visible(one.Value.GetString()!);
                case "boolValue": return one.Value.GetBoolean();
                // A number of 64 bits is a text, and a reader must take a number too.
                case "intValue":
                    return one.Value.ValueKind == JsonValueKind.Number ? one.Value.GetInt64()
                        : long.Parse(one.Value.GetString()!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                case "doubleValue":
                    return one.Value.ValueKind == JsonValueKind.Number ? one.Value.GetDouble()
                        : double.Parse(one.Value.GetString()!, NumberStyles.Float, CultureInfo.InvariantCulture);
                case "arrayValue": return List(one.Value, "values").Select(value => $"{Value(value)}").ToArray();
                default: return visible(one.Value.GetRawText());
            }
        }

        return null;
    }

    private string Text(JsonElement owner, string name) => visible(Raw(owner, name));

    private static string Raw(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static IEnumerable<JsonElement> List(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var list) ? list.EnumerateArray() : Enumerable.Empty<JsonElement>();

    private static DateTime Time(JsonElement span, string name)
    {
        var nanoseconds = ulong.Parse(Raw(span, name), NumberStyles.None, CultureInfo.InvariantCulture);
        return DateTime.UnixEpoch.AddTicks((long)(nanoseconds / NanosecondsPerTick));
    }
}

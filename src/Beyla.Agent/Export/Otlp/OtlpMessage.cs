namespace Beyla.Agent.Export.Otlp;

/// <summary>How the value of a field is written in JSON (OpenTelemetry Protocol specification, "JSON Protobuf Encoding").</summary>
internal enum OtlpType : byte
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>An identity: bytes, in hexadecimal digits.</summary>
    Identity,

    /// <summary>A number of 32 bits, or an enumeration.</summary>
    Number,

    /// <summary>A signed number of 32 bits in zigzag form.</summary>
    Signed,

    /// <summary>A number of 64 bits, signed or not as <see cref="LongSigned"/> says: a text in JSON.</summary>
    Long,

    /// <summary>A signed number of 64 bits: a text in JSON.</summary>
    LongSigned,

    /// <summary>A number with a fraction.</summary>
    Double,

    /// <summary>true or false.</summary>
    Boolean,

    /// <summary>A message.</summary>
    Message,

    /// <summary>Many fixed numbers of 64 bits in one field.</summary>
    PackedFixed,

    /// <summary>Many numbers in one field, as varints.</summary>
    PackedVarint,

    /// <summary>Many numbers with a fraction in one field.</summary>
    PackedDouble,
}

/// <summary>A field of a message.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">Its name in JSON.</param>
/// <param name="Type">Its type.</param>
/// <param name="IsRepeated">Whether it may stand more than once: a list in JSON.</param>
/// <param name="Message">The form of a <see cref="OtlpType.Message"/>.</param>
internal sealed record OtlpField(int Number, string Name, OtlpType Type, bool IsRepeated = false, OtlpMessage? Message = null);

/// <summary>
/// The forms of the messages that are sent (opentelemetry-proto v1.11.0), as far as they are: what <see cref="OtlpJson"/> needs to write
/// them in JSON.
/// </summary>
internal sealed class OtlpMessage
{
    private OtlpMessage(params OtlpField[] fields) => Fields = fields;

    private static readonly OtlpMessage Any = MakeAny();

    private static readonly OtlpMessage KeyValue = new(Text(1, "key"), One(2, "value", Any));

    private static readonly OtlpMessage Resource = new(Many(1, "attributes", KeyValue), Count(2, "droppedAttributesCount"));

    private static readonly OtlpMessage Scope = new(
        Text(1, "name"), Text(2, "version"), Many(3, "attributes", KeyValue), Count(4, "droppedAttributesCount"));

    private static readonly OtlpMessage Span = new(
        new(1, "traceId", OtlpType.Identity), new(2, "spanId", OtlpType.Identity), Text(3, "traceState"),
        new(4, "parentSpanId", OtlpType.Identity), new(16, "flags", OtlpType.Number), Text(5, "name"), Count(6, "kind"),
        Long(7, "startTimeUnixNano"), Long(8, "endTimeUnixNano"), Many(9, "attributes", KeyValue), Count(10, "droppedAttributesCount"),
        One(15, "status", new OtlpMessage(Text(2, "message"), Count(3, "code"))));

    private static readonly OtlpMessage Exemplar = new(
        Many(7, "filteredAttributes", KeyValue), Long(2, "timeUnixNano"), new(3, "asDouble", OtlpType.Double),
        new(6, "asInt", OtlpType.LongSigned), new(4, "spanId", OtlpType.Identity), new(5, "traceId", OtlpType.Identity));

    private static readonly OtlpMessage Point = new(
        Many(7, "attributes", KeyValue), Long(2, "startTimeUnixNano"), Long(3, "timeUnixNano"), new(4, "asDouble", OtlpType.Double),
        new(6, "asInt", OtlpType.LongSigned), Many(5, "exemplars", Exemplar), Count(8, "flags"));

    private static readonly OtlpMessage HistogramPoint = new(
        Many(9, "attributes", KeyValue), Long(2, "startTimeUnixNano"), Long(3, "timeUnixNano"), Long(4, "count"),
        new(5, "sum", OtlpType.Double), new(6, "bucketCounts", OtlpType.PackedFixed), new(7, "explicitBounds", OtlpType.PackedDouble),
        Many(8, "exemplars", Exemplar), Count(10, "flags"), new(11, "min", OtlpType.Double), new(12, "max", OtlpType.Double));

    private static readonly OtlpMessage Buckets = new(
        new(1, "offset", OtlpType.Signed), new(2, "bucketCounts", OtlpType.PackedVarint));

    private static readonly OtlpMessage ExponentialPoint = new(
        Many(1, "attributes", KeyValue), Long(2, "startTimeUnixNano"), Long(3, "timeUnixNano"), Long(4, "count"),
        new(5, "sum", OtlpType.Double), new(6, "scale", OtlpType.Signed), Long(7, "zeroCount"), One(8, "positive", Buckets),
        One(9, "negative", Buckets), Count(10, "flags"), Many(11, "exemplars", Exemplar), new(12, "min", OtlpType.Double),
        new(13, "max", OtlpType.Double));

    private static readonly OtlpMessage Metric = new(
        Text(1, "name"), Text(2, "description"), Text(3, "unit"), One(5, "gauge", new OtlpMessage(Many(1, "dataPoints", Point))),
        One(7, "sum", new OtlpMessage(
            Many(1, "dataPoints", Point), Count(2, "aggregationTemporality"), new(3, "isMonotonic", OtlpType.Boolean))),
        One(9, "histogram", new OtlpMessage(Many(1, "dataPoints", HistogramPoint), Count(2, "aggregationTemporality"))),
        One(10, "exponentialHistogram", new OtlpMessage(Many(1, "dataPoints", ExponentialPoint), Count(2, "aggregationTemporality"))));

    /// <summary>ExportTraceServiceRequest.</summary>
    public static OtlpMessage TracesRequest { get; } = new(Many(1, "resourceSpans", new OtlpMessage(
        One(1, "resource", Resource), Many(2, "scopeSpans", new OtlpMessage(One(1, "scope", Scope), Many(2, "spans", Span))))));

    /// <summary>ExportMetricsServiceRequest.</summary>
    public static OtlpMessage MetricsRequest { get; } = new(Many(1, "resourceMetrics", new OtlpMessage(
        One(1, "resource", Resource), Many(2, "scopeMetrics", new OtlpMessage(One(1, "scope", Scope), Many(2, "metrics", Metric))))));

    /// <summary>The fields, in the order in which JSON has them.</summary>
    public IReadOnlyList<OtlpField> Fields { get; private set; }

    private static OtlpField Text(int number, string name) => new(number, name, OtlpType.Text);

    private static OtlpField Count(int number, string name) => new(number, name, OtlpType.Number);

    private static OtlpField Long(int number, string name) => new(number, name, OtlpType.Long);

    private static OtlpField One(int number, string name, OtlpMessage message) => new(number, name, OtlpType.Message, Message: message);

    private static OtlpField Many(int number, string name, OtlpMessage message) => new(number, name, OtlpType.Message, true, message);

    /// <summary>A value may be a list of values.</summary>
    private static OtlpMessage MakeAny()
    {
        var any = new OtlpMessage();
        any.Fields =
        [
            Text(1, "stringValue"), new(2, "boolValue", OtlpType.Boolean), new(3, "intValue", OtlpType.LongSigned),
            new(4, "doubleValue", OtlpType.Double), One(5, "arrayValue", new OtlpMessage(Many(1, "values", any))),
        ];
        return any;
    }
}

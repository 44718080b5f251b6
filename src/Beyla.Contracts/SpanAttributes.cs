using System.Text;

namespace Beyla;

/// <summary>
/// The one table of what a span can say besides its envelope: it feeds the printers, the reader of the stream, the redaction and
/// docs/stream.md, so that no attribute is spelled twice. Names are those of the OpenTelemetry semantic conventions (1.44).
/// </summary>
public static class SpanAttributes
{
    // Their sum and the envelope fit SpanLimits.Line of the agent; a test says so.
    private const int Word = 64, Label = 255, Target = 8192, Statement = 4096;

    private static readonly string[] Http = [SpanProtocol.Http.Name], Postgres = [SpanProtocol.PostgreSql.Name],
        Sql = [SpanProtocol.PostgreSql.Name, SpanProtocol.Sql.Name],
        Known = [SpanProtocol.PostgreSql.Name, SpanProtocol.Redis.Name],
        Databases = [SpanProtocol.PostgreSql.Name, SpanProtocol.Redis.Name, SpanProtocol.Sql.Name];

    private static readonly SpanAttributeRow[] Rows =
    [
        new()
        {
            Attribute = SpanAttribute.Name, Name = "name", ShortName = "name", IsEnvelope = true, Limit = Label,
            Meaning = "name of the span, with few different values",
        },
        new()
        {
            Attribute = SpanAttribute.ErrorType, Name = "error.type", ShortName = "errorType", IsEnvelope = true, Limit = Word,
            Meaning = "why the exchange failed",
        },
        new()
        {
            Attribute = SpanAttribute.HttpRequestMethod, Name = "http.request.method", ShortName = "method", Limit = Word,
            Protocols = Http, Meaning = "method of the request",
        },
        new()
        {
            Attribute = SpanAttribute.UrlPath, Name = "url.path", ShortName = "path", Limit = Target, Redaction = SpanRedaction.Path,
            Protocols = Http, Meaning = "path as on the wire, without query",
        },
        new()
        {
            Attribute = SpanAttribute.UrlQuery, Name = "url.query", ShortName = "query", Limit = Target, Redaction = SpanRedaction.Query,
            Protocols = Http, Meaning = "query without `?`",
        },
        new()
        {
            Attribute = SpanAttribute.HttpResponseStatusCode, Name = "http.response.status_code", ShortName = "status", IsNumber = true,
            Protocols = Http, Meaning = "status code; left out without a response",
        },
        new()
        {
            Attribute = SpanAttribute.HttpRequestHeaderHost, Name = "http.request.header.host", ShortName = "host", Limit = 512,
            Redaction = SpanRedaction.UserInfo, Protocols = Http, Meaning = "Host header, or the authority of an absolute target",
        },
        new()
        {
            Attribute = SpanAttribute.NetworkProtocolVersion, Name = "network.protocol.version", ShortName = "protocolVersion", Limit = 16,
            Meaning = "version of the protocol: `1.0`, `1.1` of HTTP; `3.0` of PostgreSQL; `2`, `3` of RESP",
        },
        new()
        {
            Attribute = SpanAttribute.HttpRequestBodySize, Name = "http.request.body.size", ShortName = "requestBodyLength",
            IsNumber = true, Protocols = Http, Meaning = "bytes of the request's body; left out when unknown",
        },
        new()
        {
            Attribute = SpanAttribute.HttpResponseBodySize, Name = "http.response.body.size", ShortName = "responseBodyLength",
            IsNumber = true, Protocols = Http, Meaning = "bytes of the response's body; left out when unknown",
        },
        new()
        {
            Attribute = SpanAttribute.HttpRoute, Name = "http.route", Limit = Label, Protocols = Http,
            Meaning = "the path with a pattern or a wildcard for what varies; of servers, where routes are on",
        },
        new()
        {
            Attribute = SpanAttribute.UrlTemplate, Name = "url.template", Limit = Label, Protocols = Http,
            Meaning = "the pattern that the path fits; of clients, where their rule has patterns for them",
        },
        new()
        {
            Attribute = SpanAttribute.DbSystemName, Name = "db.system.name", Limit = Word, Protocols = Databases,
            Meaning = "the database system: `postgresql`, `redis`; `other_sql` where only statements tell",
        },
        new()
        {
            Attribute = SpanAttribute.DbNamespace, Name = "db.namespace", Limit = Label, Protocols = Known,
            Meaning = "the database; of Redis its number",
        },
        new()
        {
            Attribute = SpanAttribute.DbQuerySummary, Name = "db.query.summary", Limit = Label, Protocols = Databases,
            Meaning = "operations and what they work on, with few different values: `SELECT users`",
        },
        new()
        {
            Attribute = SpanAttribute.DbQueryText, Name = "db.query.text", Limit = Statement, Protocols = Databases,
            Meaning = "the statement or command; each value is `?`",
        },
        new()
        {
            Attribute = SpanAttribute.DbOperationName, Name = "db.operation.name", Limit = Label, Protocols = Databases,
            Meaning = "the command; of SQL the first keyword",
        },
        new()
        {
            Attribute = SpanAttribute.DbCollectionName, Name = "db.collection.name", Limit = Label, Protocols = Sql,
            Meaning = "the first table of the statement",
        },
        new()
        {
            Attribute = SpanAttribute.DbOperationBatchSize, Name = "db.operation.batch.size", IsNumber = true, Protocols = Known,
            Meaning = "operations of a batch, 2 or more",
        },
        new()
        {
            Attribute = SpanAttribute.DbStoredProcedureName, Name = "db.stored_procedure.name", Limit = Label, Protocols = Databases,
            Meaning = "the stored procedure that was called; of Redis the function or the hash of the script",
        },
        new()
        {
            Attribute = SpanAttribute.DbResponseStatusCode, Name = "db.response.status_code", Limit = Word, Protocols = Known,
            Meaning = "SQLSTATE of an error; of Redis the first word of the error",
        },
        new()
        {
            Attribute = SpanAttribute.DbResponseReturnedRows, Name = "db.response.returned_rows", IsNumber = true, Protocols = Known,
            Meaning = "rows in the response",
        },
        new()
        {
            Attribute = SpanAttribute.Guess, Name = "beyla.guess", Limit = Word,
            Meaning = "a fact of the span that a heuristic found, and that may be wrong: `protocol`, `route`",
        },
        new()
        {
            Attribute = SpanAttribute.TraceState, Name = "tracestate", ShortName = "traceState", IsEnvelope = true, Limit = 512,
            Meaning = "what other systems add to the trace context",
        },
    ];

    /// <summary>All rows, in the order of <see cref="SpanAttribute"/>, which is the order of the attributes in a line.</summary>
    public static IReadOnlyList<SpanAttributeRow> All => Rows;

    /// <summary>How many there are.</summary>
    public static int Count => Rows.Length;

    /// <summary>A bit for each attribute that is not part of the envelope: 1 &lt;&lt; the attribute.</summary>
    public static ulong OutsideEnvelope { get; } = Mask(static row => !row.IsEnvelope);

    /// <summary>A bit for each attribute whose value is a number.</summary>
    public static ulong Numbers { get; } = Mask(static row => row.IsNumber);

    /// <summary>A bit for each attribute from which something is removed.</summary>
    public static ulong Redacted { get; } = Mask(static row => row.Redaction != SpanRedaction.None);

    /// <summary>Names of all in UTF-8, in the order of <see cref="SpanAttribute"/>.</summary>
    internal static byte[][] Names { get; } = Array.ConvertAll(Rows, static row => Encoding.UTF8.GetBytes(row.Name));

    /// <summary>The row of an attribute.</summary>
    public static SpanAttributeRow Of(SpanAttribute attribute) => Rows[(int)attribute];

    /// <summary>The attribute of an OpenTelemetry name, in any case of letters; null when the table has none.</summary>
    public static SpanAttribute? Find(string name)
    {
        foreach (var row in Rows)
        {
            if (row.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return row.Attribute;
            }
        }

        return null;
    }

    private static ulong Mask(Func<SpanAttributeRow, bool> selected) =>
        Rows.Where(selected).Aggregate(0ul, static (mask, row) => mask | (1ul << (int)row.Attribute));
}

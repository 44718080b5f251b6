namespace Beyla;

/// <summary>
/// What a protocol is called in the stream, and which of its attributes the views take: what was done (operation), to what (target), and
/// with what result (status).
/// </summary>
public sealed class SpanProtocol
{
    private SpanProtocol(string name, SpanAttribute status, SpanAttribute[] operations, SpanAttribute[] targets)
    {
        Name = name;
        Status = status;
        Operations = operations;
        Targets = targets;
    }

    /// <summary>HTTP: method, path, status code.</summary>
    public static SpanProtocol Http { get; } =
        new("http", SpanAttribute.HttpResponseStatusCode, [SpanAttribute.HttpRequestMethod], [SpanAttribute.UrlPath]);

    /// <summary>PostgreSQL: first keyword, table, SQLSTATE.</summary>
    public static SpanProtocol PostgreSql { get; } = new(
        "postgresql", SpanAttribute.DbResponseStatusCode, [SpanAttribute.DbOperationName, SpanAttribute.DbQuerySummary],
        [
            SpanAttribute.DbCollectionName, SpanAttribute.DbStoredProcedureName, SpanAttribute.DbQuerySummary,
            SpanAttribute.DbQueryText,
        ]);

    /// <summary>Redis: command, the rest of the command, first word of the error.</summary>
    public static SpanProtocol Redis { get; } = new(
        "redis", SpanAttribute.DbResponseStatusCode, [SpanAttribute.DbOperationName, SpanAttribute.DbQuerySummary],
        [SpanAttribute.DbQueryText]);

    /// <summary>Statements on a connection whose protocol is not known: first keyword, table; how they ended is not seen.</summary>
    public static SpanProtocol Sql { get; } = new(
        "sql", SpanAttribute.DbResponseStatusCode, [SpanAttribute.DbOperationName, SpanAttribute.DbQuerySummary],
        [
            SpanAttribute.DbCollectionName, SpanAttribute.DbStoredProcedureName, SpanAttribute.DbQuerySummary,
            SpanAttribute.DbQueryText,
        ]);

    /// <summary>All that this version knows.</summary>
    public static IReadOnlyList<SpanProtocol> All { get; } = [Http, PostgreSql, Redis, Sql];

    /// <summary>Its name in the stream.</summary>
    public string Name { get; }

    /// <summary>What says the result.</summary>
    public SpanAttribute Status { get; }

    /// <summary>What says what was done: the first one that a span has; of a text of several words the first.</summary>
    public IReadOnlyList<SpanAttribute> Operations { get; }

    /// <summary>
    /// What says to what it was done: the first one that a span has. Where it begins with the operation, that is left out.
    /// </summary>
    public IReadOnlyList<SpanAttribute> Targets { get; }

    /// <summary>The protocol of that name. One that a newer agent knows is looked at as a database would be.</summary>
    public static SpanProtocol Of(string name) =>
        name == Http.Name ? Http : name == Redis.Name ? Redis : name == Sql.Name ? Sql : PostgreSql;
}

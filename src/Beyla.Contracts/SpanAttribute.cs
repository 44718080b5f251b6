namespace Beyla;

/// <summary>What a span can say besides its envelope. The table SpanAttributes has their names, types and limits.</summary>
public enum SpanAttribute : byte
{
    /// <summary>Name of the span: low cardinality, by the conventions of its protocol. Part of the envelope.</summary>
    Name,

    /// <summary>Why the exchange failed: low cardinality, absent where it did not (error.type). Part of the envelope.</summary>
    ErrorType,

    /// <summary>http.request.method.</summary>
    HttpRequestMethod,

    /// <summary>url.path: path without query, as on the wire.</summary>
    UrlPath,

    /// <summary>url.query: without the question mark.</summary>
    UrlQuery,

    /// <summary>http.response.status_code.</summary>
    HttpResponseStatusCode,

    /// <summary>http.request.header.host: the Host field, or the authority of an absolute target.</summary>
    HttpRequestHeaderHost,

    /// <summary>network.protocol.version: <c>1.0</c>, <c>1.1</c>, <c>2</c>; for Redis the version of RESP.</summary>
    NetworkProtocolVersion,

    /// <summary>http.request.body.size, bytes.</summary>
    HttpRequestBodySize,

    /// <summary>http.response.body.size, bytes.</summary>
    HttpResponseBodySize,

    /// <summary>http.route: the path with its variable parts put together, of a server; a guess where beyla.guess says so.</summary>
    HttpRoute,

    /// <summary>url.template: the pattern of the path that a client asked for, where the client's rule has one.</summary>
    UrlTemplate,

    /// <summary>db.system.name: <c>postgresql</c>, <c>redis</c>.</summary>
    DbSystemName,

    /// <summary>db.namespace: the database; of Redis its number.</summary>
    DbNamespace,

    /// <summary>db.query.summary: operations and their targets, low cardinality, at most 255 bytes.</summary>
    DbQuerySummary,

    /// <summary>db.query.text: without literals and values.</summary>
    DbQueryText,

    /// <summary>db.operation.name: the command; of SQL the first keyword.</summary>
    DbOperationName,

    /// <summary>db.collection.name: the first table of a statement.</summary>
    DbCollectionName,

    /// <summary>db.operation.batch.size: operations of one explicit batch, 2 or more.</summary>
    DbOperationBatchSize,

    /// <summary>db.stored_procedure.name.</summary>
    DbStoredProcedureName,

    /// <summary>db.response.status_code: SQLSTATE; of Redis the first word of the error.</summary>
    DbResponseStatusCode,

    /// <summary>db.response.returned_rows.</summary>
    DbResponseReturnedRows,

    /// <summary>beyla.guess: facts of the span that a heuristic found.</summary>
    Guess,

    /// <summary>tracestate: what other systems add to the trace context, as the request has it. Part of the envelope.</summary>
    TraceState,
}

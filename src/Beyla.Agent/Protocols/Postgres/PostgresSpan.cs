using Beyla.Agent.Spans;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The attributes of a span, by the OpenTelemetry conventions for database client calls and for PostgreSQL (v1.44). Operation and
/// collection are given for a single statement only.
/// </summary>
internal static class PostgresSpan
{
    /// <summary>The server passed over the statement after an error in the same pipeline; SQLSTATE has no word for it.</summary>
    private static ReadOnlySpan<byte> Aborted => "pipeline_aborted"u8;

    /// <summary>Fills in what is known of an exchange.</summary>
    /// <param name="values">Empty.</param>
    /// <param name="exchange">Which.</param>
    /// <param name="session">Of its connection.</param>
    /// <param name="outcome">How it ended.</param>
    public static void Fill(SpanValues values, PostgresExchange exchange, PostgresSession session, SpanOutcome outcome)
    {
        var system = "postgresql"u8;
        var statement = exchange.Statement;
        var summary = statement is null ? default : statement.Summary;
        values.Add(SpanAttribute.Name, summary.IsEmpty ? system : summary);
        values.Add(SpanAttribute.ErrorType, Error(exchange, outcome));
        values.Add(SpanAttribute.NetworkProtocolVersion, session.Version);
        values.Add(SpanAttribute.DbSystemName, system);
        values.Add(SpanAttribute.DbNamespace, session.Database);
        if (statement is not null)
        {
            values.Add(SpanAttribute.DbQuerySummary, summary);
            values.Add(SpanAttribute.DbQueryText, statement.Text);
            if (statement.Statements == 1)
            {
                values.Add(SpanAttribute.DbOperationName, statement.Operation);
                values.Add(SpanAttribute.DbCollectionName, statement.Collection);
                values.Add(SpanAttribute.DbStoredProcedureName, statement.Procedure);
            }
        }

        values.Add(SpanAttribute.DbResponseStatusCode, exchange.State);
        if (exchange.Rows >= 0)
        {
            values.Add(SpanAttribute.DbResponseReturnedRows, exchange.Rows);
        }
    }

    /// <summary>error.type: SQLSTATE where it says an error (classes 00 and 01 do not), else a word for what happened.</summary>
    private static ReadOnlySpan<byte> Error(PostgresExchange exchange, SpanOutcome outcome)
    {
        if (exchange.IsFailed)
        {
            var state = exchange.State;
            return state.IsEmpty ? "_OTHER"u8 : state[0] == '0' && state[1] is (byte)'0' or (byte)'1' ? default : state;
        }

        return exchange.IsAborted ? Aborted : SpanErrors.Of(outcome);
    }
}

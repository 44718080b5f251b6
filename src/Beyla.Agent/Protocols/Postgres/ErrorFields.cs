namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// What counts of an ErrorResponse (PostgreSQL manual, "Error and Notice Message Fields"): SQLSTATE and whether the session is over. The
/// message and its details hold data and are not read.
/// </summary>
internal readonly ref struct ErrorFields
{
    /// <summary>SQLSTATE, five characters; empty when it was not seen.</summary>
    public ReadOnlySpan<byte> State { get; private init; }

    /// <summary>Severity FATAL or PANIC: no ReadyForQuery will follow.</summary>
    public bool IsFatal { get; private init; }

    /// <summary>Reads the fields: a type byte and a text each.</summary>
    /// <param name="body">First bytes of the message's body.</param>
    public static ErrorFields Read(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> state = default;
        var isFatal = false;
        while (!body.IsEmpty && body[0] != 0)
        {
            var type = body[0];
            body = body[1..];
            if (!NulText.TryTake(ref body, out var value))
            {
                break;
            }

            // "S" is in the language of the server; "V" (9.6 and later) is not.
            isFatal |= type is (byte)'S' or (byte)'V' && (value.SequenceEqual("FATAL"u8) || value.SequenceEqual("PANIC"u8));
            state = type == 'C' && IsState(value) ? value : state;
        }

        return new ErrorFields { State = state, IsFatal = isFatal };
    }

    private static bool IsState(ReadOnlySpan<byte> value)
    {
        if (value.Length != PostgresExchange.StateLength)
        {
            return false;
        }

        foreach (var b in value)
        {
            if (b is not ((>= (byte)'0' and <= (byte)'9') or (>= (byte)'A' and <= (byte)'Z')))
            {
                return false;
            }
        }

        return true;
    }
}

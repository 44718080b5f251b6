using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>What the first bytes of a connection that were seen are.</summary>
internal enum BeginningKind : byte
{
    /// <summary>None of PostgreSQL.</summary>
    None,

    /// <summary>They may become something.</summary>
    Undecided,

    /// <summary>The start-up, or a request for encryption before it.</summary>
    StartUp,

    /// <summary>Requests in the middle of a connection: a suspicion, which a response makes a fact.</summary>
    Requests,

    /// <summary>Responses in the middle of a connection.</summary>
    Responses,
}

/// <summary>What the first bytes of a connection are, and which way requests go then.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="RequestDirection">Where the client sends.</param>
internal readonly record struct Beginning(BeginningKind Kind, SocketDirection RequestDirection)
{
    /// <summary>Judges the first bytes that were seen of one direction.</summary>
    public static Beginning Judge(in Opening opening)
    {
        var isCut = opening.Length > opening.Data.Length;
        var startUp = StartUpMessage.MayBegin(opening.Data);
        if (startUp == true)
        {
            return new Beginning(BeginningKind.StartUp, opening.Direction);
        }

        if (opening.IsFresh)
        {
            // Nothing else begins a connection, and the server never speaks first.
            return Of(startUp is null && !isCut ? BeginningKind.Undecided : BeginningKind.None, opening.Direction);
        }

        var requests = MessageChain.Walk(opening.Data, opening.Length, false);
        var responses = MessageChain.Walk(opening.Data, opening.Length, true);
        var isReady = !isCut && MessageChain.EndsReady(opening.Data);
        var isRequest = requests.IsProof && (responses.Messages == 0 || requests.First == 'Q');
        var isResponse = isReady || (responses.IsProof && requests.Messages == 0);
        if (isRequest != isResponse)
        {
            return Of(isRequest ? BeginningKind.Requests : BeginningKind.Responses, opening.Direction);
        }

        var isKnown = opening.IsKnown && (requests.Messages > 0) != (responses.Messages > 0);
        if (isKnown)
        {
            return Of(requests.Messages > 0 ? BeginningKind.Requests : BeginningKind.Responses, opening.Direction);
        }

        var mayBecome = !isCut && (requests.Messages > 0 || responses.Messages > 0 || startUp is null
            || (opening.Data.Length < PostgresMessages.HeaderSize && PostgresMessages.IsType(opening.Data[0])));
        return Of(mayBecome ? BeginningKind.Undecided : BeginningKind.None, opening.Direction);
    }

    private static Beginning Of(BeginningKind kind, SocketDirection direction) =>
        new(kind, kind == BeginningKind.Responses ? StreamOrder.Other(direction) : direction);
}

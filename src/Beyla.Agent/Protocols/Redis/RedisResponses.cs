namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Whose a response is. Not all are that of a command: a server pushes messages (pub/sub, MONITOR), and a subscription has one
/// confirmation for each of its channels. The elements of EXEC are the responses of the commands that were queued.
/// </summary>
internal sealed class RedisResponses(RedisProtocol protocol, RedisExchanges exchanges, RedisConversation conversation)
{
    private RedisExchange? element;

    /// <summary>The connection goes on with another protocol.</summary>
    public bool IsOver => exchanges.IsOver;

    private RedisSpans Spans => exchanges.Spans;

    /// <summary>Messages of pub/sub may come as arrays.</summary>
    private bool MayBePublished => Spans.Session.IsSubscribed
        || exchanges.First is { Kind: RedisCommandKind.Subscribe or RedisCommandKind.Unsubscribe }
        || (!exchanges.IsFresh && exchanges.First is { Kind: RedisCommandKind.Ping });

    /// <summary>A response begins.</summary>
    public void BeginReply(byte type, long time)
    {
        if (type != '>' && !(type == '*' && MayBePublished) && exchanges.Next is { } exchange)
        {
            protocol.Ledger.StopTimer(exchange);
            exchange.Reply = type;
            exchange.LastSeen = time;
        }
    }

    /// <summary>More of a response was seen, whole or not.</summary>
    public void See(long time)
    {
        if (exchanges.First is { Reply: not 0 } exchange)
        {
            exchange.LastSeen = time;
        }
    }

    /// <summary>The head of a response was seen.</summary>
    /// <param name="elements">Elements when it is an array; else -1.</param>
    public void BeginElements(long elements) =>
        element = exchanges.Next is { Kind: RedisCommandKind.Exec, IsDoubtful: false } ? Spans.FirstQueued(elements) : null;

    /// <summary>An element of it is complete.</summary>
    public void EndElement() => element = element?.Following;

    /// <summary>An element of it is an error.</summary>
    public void SetElementError(scoped ReadOnlySpan<byte> word) => element?.SetError(word, exchanges.Buffers);

    /// <summary>The end of the response cannot be told, or nobody waits for it any more.</summary>
    /// <param name="isOther">What came instead is none.</param>
    public void LoseReplies(bool isOther)
    {
        element = null;
        if (isOther && exchanges.IsGuess)
        {
            exchanges.Abandon();
        }
    }

    /// <summary>A response, or a message that is none, is complete.</summary>
    public void EndReply(in RedisReply reply, long time)
    {
        Spans.Session.Infer(in reply);
        var exchange = exchanges.Next;
        if (reply.Type == '>' || (reply.Type == '*' && reply.IsPublished && MayBePublished))
        {
            if (reply.IsConfirmation)
            {
                Confirm(exchange, in reply, time);
            }
        }
        else if (Spans.Session.IsMonitoring && reply.Type == '+' && reply.Text.Length > 0 && char.IsAsciiDigit((char)reply.Text[0]))
        {
            // What another client sent.
        }
        else if (exchanges.IsPassing)
        {
            exchanges.PassOne();
        }
        else if (exchange is null)
        {
            exchanges.Contradict();
        }
        else if (!exchanges.IsProven && !exchanges.IsGuess && reply.Type == '*' && RedisCommands.Find(reply.Text) is not null)
        {
            conversation.IsInverted = true;
        }
        else
        {
            exchange.Note(in reply, exchanges.Buffers);
            exchanges.Answer(time);
        }
    }

    /// <summary>Responses passed without an event up to a place in their stream. True when it is known to whom they belonged.</summary>
    public bool TryMiss(uint until, bool isBetween)
    {
        if (isBetween && exchanges.First is { } first && first.Boundary == until)
        {
            return true;
        }

        var isKnown = exchanges.IsFollowedAt(until);
        if (isKnown)
        {
            exchanges.FinishUnseen();
        }

        return isKnown;
    }

    private void Confirm(RedisExchange? exchange, in RedisReply reply, long time)
    {
        if (exchange is { Kind: RedisCommandKind.Subscribe or RedisCommandKind.Unsubscribe } && exchange.IsConfirmedBy(reply.Text))
        {
            if (exchanges.IsDoubtful)
            {
                // It names its command.
                exchanges.EndDoubt();
            }

            protocol.Ledger.StopTimer(exchange);
            exchange.Arguments = exchange.Arguments > 0 ? exchange.Arguments : Spans.Session.Expected(reply.Text);
            exchange.Reply = reply.Type;
            exchange.LastSeen = time;
            if (--exchange.Arguments <= 0)
            {
                exchanges.Answer(time);
            }
        }

        Spans.Session.Confirm(reply.Text, reply.Third);
    }
}

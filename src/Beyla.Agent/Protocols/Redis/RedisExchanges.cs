using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// The commands of a connection and their responses: the n-th response belongs to the n-th command.
/// <para>
/// When the connection is older than the tracing, or commands passed unseen, it is not known how many responses are still to come: the
/// pairing is in doubt. What is answered then is held back, until a command comes while all others have exactly one response. One
/// response too many shows that they belonged to others, and they are given up.
/// </para>
/// </summary>
internal sealed class RedisExchanges(RedisProtocol protocol, RedisConversation conversation)
{
    private readonly RedisSpans spans = new(protocol);
    private RedisExchangeList open, held;
    private Connection connection = null!;
    private RedisExchange? element;
    private SocketDirection direction;
    private int passing;
    private bool isFresh, isInline, isDoubtful, hasRequest;
    private long commands, replies;

    /// <summary>Where texts are kept.</summary>
    public BufferPool Buffers => protocol.Ledger.Buffers;

    /// <summary>This is Redis without doubt.</summary>
    public bool IsProven => replies > 0 || (!isInline && (isFresh || commands > 1));

    /// <summary>A line is a command, although it is not proven: lines are what the connection was recognised by.</summary>
    public bool MayBeInline => isInline || IsProven;

    /// <summary>Nothing was recognised: nothing has to be kept.</summary>
    public bool IsEmpty => commands == 0 && !hasRequest;

    /// <summary>No response is to come, as far as is known.</summary>
    public bool IsQuiet => open.Count == 0 && passing == 0;

    /// <summary>The connection goes on with another protocol.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Ready for a connection.</summary>
    /// <param name="connection">Which.</param>
    /// <param name="isFresh">It begins now.</param>
    /// <param name="isInline">It begins with inline commands, which only a response proves.</param>
    /// <param name="requests">Which way the commands go.</param>
    public void Begin(Connection connection, bool isFresh, bool isInline, SocketDirection requests)
    {
        this.connection = connection;
        (this.isFresh, this.isInline) = (isFresh, isInline);
        isDoubtful = !isFresh;
        direction = requests;
        IsOver = hasRequest = false;
        passing = 0;
        commands = replies = 0;
        element = null;
        spans.Begin(connection, isFresh);
    }

    /// <summary>A command was seen that cannot be read any more: the sides were taken one for the other.</summary>
    public void CountUnread()
    {
        hasRequest = true;
        protocol.Ledger.CountUnread();
    }

    /// <summary>Gives up what is left.</summary>
    public void Lose()
    {
        while ((held.Take() ?? open.Take()) is { } exchange)
        {
            spans.Lose(exchange);
        }

        spans.LoseQueued();
        element = null;
    }

    /// <summary>A command begins: its name is known.</summary>
    public RedisExchange Open(long time, int pid, int tid)
    {
        connection.RequestDirection = direction;
        hasRequest = true;
        if (conversation.Replies is { IsLost: true } lost)
        {
            Recover(lost);
        }

        if (isDoubtful && open.Count == 0 && passing == 0 && held.Count > 0 && conversation.Replies!.IsBetween)
        {
            isDoubtful = false;
            Release();
        }

        if (open.Count + held.Count + spans.Queued >= protocol.Ledger.MaxPipelined)
        {
            return protocol.RentSpare();
        }

        var exchange = protocol.Ledger.Create(conversation, time);
        exchange.Pid = pid;
        exchange.Tid = tid;
        exchange.IsDoubtful = isDoubtful;
        protocol.Ledger.TellOpened(exchange, connection);
        return exchange;
    }

    /// <summary>A command is complete, or as complete as it gets: it waits for its response.</summary>
    public void Place(RedisExchange exchange)
    {
        commands++;
        exchange.HandlerStart = Math.Max(exchange.HandlerStart, exchange.Start);
        var isAnswered = spans.Session.Expects(exchange);
        if (exchange.IsSpare)
        {
            protocol.Ledger.CountUnread();
            spans.Session.Forget(exchange);
            if (isAnswered)
            {
                // There is none only when all are held back or queued; then this one's response is the next.
                _ = open.Last is { } last ? last.Overflow++ : passing++;
            }

            protocol.ReturnSpare(exchange);
        }
        else if (isAnswered)
        {
            if (exchange.Kind == RedisCommandKind.Blocking)
            {
                protocol.Ledger.StopTimer(exchange);
            }

            open.Add(exchange);
        }
        else
        {
            spans.FinishSilent(exchange, open.Count == 0);
        }
    }

    /// <summary>Requests passed that could not be read.</summary>
    public void MissRequests(long bytes)
    {
        if (IsProven || hasRequest)
        {
            protocol.Ledger.CountUnseen(bytes);
            isDoubtful = true;
        }
    }

    /// <summary>A response begins.</summary>
    public void BeginReply(byte type, long time)
    {
        if (passing == 0 && type != '>' && !(type == '*' && MayBePublished) && open.First is { } exchange)
        {
            protocol.Ledger.StopTimer(exchange);
            exchange.Reply = type;
            exchange.LastSeen = time;
        }
    }

    /// <summary>More of a response was seen, whole or not.</summary>
    public void See(long time)
    {
        if (open.First is { Reply: not 0 } exchange)
        {
            exchange.LastSeen = time;
        }
    }

    /// <summary>The head of a response was seen.</summary>
    /// <param name="elements">Elements when it is an array; else -1.</param>
    public void BeginElements(long elements) =>
        element = passing == 0 && open.First is { Kind: RedisCommandKind.Exec, IsDoubtful: false } ? spans.FirstQueued(elements) : null;

    /// <summary>An element of it is complete.</summary>
    public void EndElement() => element = element?.Following;

    /// <summary>An element of it is an error.</summary>
    public void SetElementError(scoped ReadOnlySpan<byte> word) => element?.SetError(word, Buffers);

    /// <summary>A response, or a message that is none, is complete.</summary>
    public void EndReply(in RedisReply reply, long time)
    {
        spans.Session.Infer(in reply);
        var exchange = passing == 0 ? open.First : null;
        if (reply.Type == '>' || (reply.Type == '*' && reply.IsPublished && MayBePublished))
        {
            if (reply.IsConfirmation)
            {
                Confirm(exchange, in reply, time);
            }
        }
        else if (spans.Session.IsMonitoring && reply.Type == '+' && reply.Text.Length > 0 && char.IsAsciiDigit((char)reply.Text[0]))
        {
            // What another client sent.
        }
        else if (passing > 0)
        {
            passing--;
        }
        else if (exchange is null)
        {
            // One too many: those before it were paired with the wrong ones.
            isDoubtful = true;
            while (held.Take() is { } wrong)
            {
                spans.Lose(wrong);
            }
        }
        else if (!IsProven && !isInline && reply.Type == '*' && RedisCommands.Find(reply.Text) is not null)
        {
            conversation.IsInverted = true;
        }
        else
        {
            exchange.Note(in reply, Buffers);
            Answer(exchange, time);
        }
    }

    /// <summary>The end of the response cannot be told.</summary>
    /// <param name="isOther">What came instead is none.</param>
    public void LoseReplies(bool isOther)
    {
        element = null;
        if (isOther && isInline && !IsProven)
        {
            // Another protocol of lines.
            IsOver = true;
            conversation.HandOver();
        }
    }

    /// <summary>Responses passed without an event up to a place in their stream. True when it is known to whom they belonged.</summary>
    public bool TryMiss(uint until, bool isBetween)
    {
        if (isBetween && open.First is { } first && first.Boundary == until)
        {
            return true;
        }

        if (passing == 0 && open.First is { Overflow: 0, Following: { } next } exchange && next.Boundary == until)
        {
            _ = open.Take();
            spans.Report(exchange, SpanOutcome.Unfinished, exchange.LastSeen);
            return true;
        }

        return false;
    }

    /// <summary>No response in time: the span is handed out now.</summary>
    public void TimeOut(RedisExchange exchange, long time)
    {
        if (IsProven)
        {
            spans.ReportOnly(exchange, SpanOutcome.TimedOut, time);
        }
    }

    /// <summary>Nothing more comes.</summary>
    /// <param name="outcome">How those end that have no response.</param>
    /// <param name="time">When; 0 when it was not seen.</param>
    public void End(SpanOutcome outcome, long time)
    {
        if (conversation.Replies is { IsLost: true, EndsWithLine: true } && open is { Count: 1, First: { Reply: not 0 } exchange })
        {
            _ = open.Take();
            held.Add(exchange);
        }

        Release();
        spans.FinishQueued();
        while (open.Take() is { } rest)
        {
            if (IsProven)
            {
                spans.Report(rest, outcome, time == 0 ? rest.LastSeen : time);
            }
            else
            {
                spans.Lose(rest);
            }
        }

        passing = 0;
    }

    /// <summary>Messages of pub/sub may come as arrays.</summary>
    private bool MayBePublished => spans.Session.IsSubscribed
        || open.First is { Kind: RedisCommandKind.Subscribe or RedisCommandKind.Unsubscribe }
        || (!isFresh && open.First is { Kind: RedisCommandKind.Ping });

    private void Confirm(RedisExchange? exchange, in RedisReply reply, long time)
    {
        if (exchange is { Kind: RedisCommandKind.Subscribe or RedisCommandKind.Unsubscribe } && exchange.IsConfirmedBy(reply.Text))
        {
            if (isDoubtful)
            {
                // It names its command: the pairing is known from here on.
                isDoubtful = false;
                Release();
            }

            protocol.Ledger.StopTimer(exchange);
            exchange.Arguments = exchange.Arguments > 0 ? exchange.Arguments : spans.Session.Expected(reply.Text);
            exchange.Reply = reply.Type;
            exchange.LastSeen = time;
            if (--exchange.Arguments <= 0)
            {
                Answer(exchange, time);
            }
        }

        spans.Session.Confirm(reply.Text, reply.Third);
    }

    private void Answer(RedisExchange exchange, long time)
    {
        _ = open.Take();
        replies++;
        passing += exchange.Overflow;
        exchange.LastSeen = time;
        protocol.Ledger.StopTimer(exchange);
        if (exchange.IsDoubtful && isDoubtful)
        {
            held.Add(exchange);
        }
        else
        {
            Finish(exchange);
        }
    }

    private void Finish(RedisExchange exchange)
    {
        if (spans.Finish(exchange))
        {
            IsOver = true;
            conversation.HandOver();
        }
    }

    private void Release()
    {
        while (held.Take() is { } exchange)
        {
            Finish(exchange);
        }
    }

    /// <summary>
    /// A command comes while the end of a response is not known. When the client waited for just that one, it ended where the bytes did.
    /// </summary>
    private void Recover(RedisReplies replies)
    {
        if (replies.EndsWithLine && passing == 0 && open is { Count: 1, First: { Reply: not 0, Overflow: 0 } exchange })
        {
            Answer(exchange, exchange.LastSeen);
        }
        else
        {
            isDoubtful = true;
            while (open.Take() is { } unfinished)
            {
                spans.Report(unfinished, SpanOutcome.Unfinished, unfinished.LastSeen);
            }

            passing = 0;
        }

        replies.Restart();
    }
}

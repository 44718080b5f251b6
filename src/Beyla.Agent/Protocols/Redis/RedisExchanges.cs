using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// The commands of a connection in the order of their responses: the n-th response belongs to the n-th command.
/// <para>
/// When the connection is older than the tracing, or commands passed unseen, it is not known how many responses are still to come: the
/// pairing is in doubt. What is answered then is held back, until a command comes while all others have exactly one response, or for long
/// nothing comes (<see cref="RedisProtocol.Doubts"/>). One response too many shows that they belonged to others, and they are given up.
/// </para>
/// </summary>
internal sealed class RedisExchanges(RedisProtocol protocol, RedisConversation conversation)
{
    private ExchangeQueue<RedisExchange> open, held;
    private Connection connection = null!;
    private SocketDirection direction;
    private int passing;
    private bool isFresh, isInline, hasRequest;
    private long commands, replies;

    /// <summary>Where texts are kept.</summary>
    public BufferPool Buffers => protocol.Ledger.Buffers;

    /// <summary>What responses mean for the connection, and spans.</summary>
    public RedisSpans Spans { get; } = new(protocol);

    /// <summary>The command whose response comes next; null when there is none, or it had no room.</summary>
    public RedisExchange? Next => passing == 0 ? open.First : null;

    /// <summary>The next response belongs to a command that had no room.</summary>
    public bool IsPassing => passing > 0;

    /// <summary>The command whose response comes first of those that are known.</summary>
    public RedisExchange? First => open.First;

    /// <summary>The connection began while it was watched.</summary>
    public bool IsFresh => isFresh;

    /// <summary>It is not known how many responses are still to come.</summary>
    public bool IsDoubtful { get; private set; }

    /// <summary>This is Redis without doubt.</summary>
    public bool IsProven => replies > 0 || (!isInline && (isFresh || commands > 1));

    /// <summary>A line is a command, although it is not proven: lines are what the connection was recognised by.</summary>
    public bool MayBeInline => isInline || IsProven;

    /// <summary>Lines are what the connection was recognised by, and no response has proven it.</summary>
    public bool IsGuess => isInline && !IsProven;

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
        IsDoubtful = !isFresh;
        direction = requests;
        IsOver = hasRequest = false;
        passing = 0;
        commands = replies = 0;
        Spans.Begin(connection, isFresh);
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
        LoseHeld();
        while (open.Dequeue() is { } exchange)
        {
            Spans.Lose(exchange);
        }

        Spans.LoseQueued();
    }

    /// <summary>Memory is tight: texts that can be shortened are.</summary>
    public void Shorten()
    {
        Spans.Shorten();
        Shorten(open.First);
        Shorten(held.First);

        void Shorten(RedisExchange? exchange)
        {
            for (; exchange is not null; exchange = exchange.Following)
            {
                exchange.Shorten(Buffers);
            }
        }
    }

    /// <summary>A command begins: its name is known.</summary>
    public RedisExchange Open(long time, int pid, int tid, long goroutine)
    {
        connection.RequestDirection = direction;
        hasRequest = true;
        if (conversation.Replies is { IsLost: true } lost)
        {
            Recover(lost);
        }

        TryEndDoubt();
        if (open.Count + held.Count + Spans.Queued >= protocol.Ledger.MaxPipelined)
        {
            return protocol.RentSpare();
        }

        var exchange = protocol.Ledger.Create(conversation, time);
        exchange.Pid = pid;
        exchange.Tid = tid;
        exchange.Goroutine = goroutine;
        exchange.IsDoubtful = IsDoubtful;
        protocol.Ledger.TellOpened(exchange, connection);
        protocol.Ledger.TellBegun(exchange, connection);
        return exchange;
    }

    /// <summary>A command is complete, or as complete as it gets: it waits for its response.</summary>
    public void Place(RedisExchange exchange)
    {
        commands++;
        exchange.HandlerStart = Math.Max(exchange.HandlerStart, exchange.Start);
        var isAnswered = Spans.Session.Expects(exchange);
        if (exchange.IsSpare)
        {
            protocol.Ledger.CountUnread();
            Spans.Session.Forget(exchange);
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
            Spans.FinishSilent(exchange, open.Count == 0);
        }
    }

    /// <summary>Requests passed that could not be read.</summary>
    public void MissRequests(long bytes)
    {
        if (IsProven || hasRequest)
        {
            protocol.Ledger.CountUnseen(bytes);
            IsDoubtful = true;
        }
    }

    /// <summary>The first command has its response, whole.</summary>
    /// <param name="time">When it ended.</param>
    public void Answer(long time)
    {
        var exchange = open.Dequeue()!;
        replies++;
        passing += exchange.Overflow;
        exchange.LastSeen = time;
        protocol.Ledger.StopTimer(exchange);
        if (exchange.IsDoubtful && IsDoubtful)
        {
            held.Add(exchange);
            protocol.Doubts.Touch(conversation.Doubt, time);
        }
        else
        {
            Finish(exchange);
        }
    }

    /// <summary>It is another protocol of lines.</summary>
    public void Abandon()
    {
        IsOver = true;
        conversation.HandOver();
    }

    /// <summary>The response of a command that had no room is over.</summary>
    public void PassOne() => passing--;

    /// <summary>One response too many: those before it were paired with the wrong ones.</summary>
    public void Contradict()
    {
        IsDoubtful = true;
        LoseHeld();
    }

    /// <summary>The pairing is known from here on.</summary>
    public void EndDoubt()
    {
        IsDoubtful = false;
        Release();
    }

    /// <summary>Nothing came for long: if each command has exactly one response, they are theirs.</summary>
    public void Rest()
    {
        for (var exchange = held.First; exchange is not null; exchange = exchange.Following)
        {
            if (exchange.Kind is not (RedisCommandKind.Plain or RedisCommandKind.Ping or RedisCommandKind.Select or RedisCommandKind.Hello))
            {
                // It may still be waited for, and what came was the response of another one.
                return;
            }
        }

        TryEndDoubt();
    }

    /// <summary>Responses passed unseen: the first command ends with what was seen of it.</summary>
    public void FinishUnseen()
    {
        var exchange = open.Dequeue()!;
        Spans.Report(exchange, SpanOutcome.Unfinished, exchange.LastSeen);
    }

    /// <summary>The command that comes behind the first one was sent when the stream of responses stood there.</summary>
    public bool IsFollowedAt(uint place) => passing == 0 && open.First is { Overflow: 0, Following: { } next } && next.Boundary == place;

    /// <summary>No response in time: the span is handed out now.</summary>
    public void TimeOut(RedisExchange exchange, long time)
    {
        if (IsProven)
        {
            Spans.ReportOnly(exchange, SpanOutcome.TimedOut, time);
        }
    }

    /// <summary>Nothing more comes.</summary>
    /// <param name="outcome">How those end that have no response.</param>
    /// <param name="time">When; 0 when it was not seen.</param>
    public void End(SpanOutcome outcome, long time)
    {
        if (conversation.Replies is { IsLost: true, EndsWithLine: true } && open is { Count: 1, First.Reply: not 0 })
        {
            held.Add(open.Dequeue()!);
        }

        Release();
        Spans.FinishQueued();
        while (open.Dequeue() is { } rest)
        {
            if (IsProven)
            {
                Spans.Report(rest, outcome, time == 0 ? rest.LastSeen : time);
            }
            else
            {
                Spans.Lose(rest);
            }
        }

        passing = 0;
    }

    private void TryEndDoubt()
    {
        if (IsDoubtful && IsQuiet && held.Count > 0 && conversation.Replies is null or { IsBetween: true })
        {
            EndDoubt();
        }
    }

    private void Finish(RedisExchange exchange)
    {
        if (Spans.Finish(exchange))
        {
            IsOver = true;
            conversation.HandOver();
        }
    }

    private void Release()
    {
        protocol.Doubts.Remove(conversation.Doubt);
        while (held.Dequeue() is { } exchange)
        {
            Finish(exchange);
        }
    }

    private void LoseHeld()
    {
        protocol.Doubts.Remove(conversation.Doubt);
        while (held.Dequeue() is { } exchange)
        {
            Spans.Lose(exchange);
        }
    }

    /// <summary>
    /// A command comes while the end of a response is not known. When the client waited for just that one, it ended where the bytes did.
    /// </summary>
    private void Recover(RedisReplies replies)
    {
        if (replies.EndsWithLine && passing == 0 && open is { Count: 1, First: { Reply: not 0, Overflow: 0 } exchange })
        {
            Answer(exchange.LastSeen);
        }
        else
        {
            IsDoubtful = true;
            while (open.Count > 0)
            {
                FinishUnseen();
            }

            passing = 0;
        }

        replies.Restart();
    }
}

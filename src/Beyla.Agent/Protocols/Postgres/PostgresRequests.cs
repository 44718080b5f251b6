using Beyla.Agent.Protocols.Sql;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// What a client sends (PostgreSQL manual, "Message Flow"): which statement a request is about, where it begins, and what the server will
/// respond to.
/// </summary>
/// <param name="protocol">Texts of all connections, and limits.</param>
/// <param name="session">Statements and portals.</param>
/// <param name="exchanges">Told of each request.</param>
internal sealed class PostgresRequests(PostgresProtocol protocol, PostgresSession session, PostgresExchanges exchanges)
{
    private readonly MessageReader reader = new(protocol.Ledger.Buffers, false);
    private PendingParse parse;
    private long start;
    private bool isPipelined;

    /// <summary>The client sends data of COPY: the server passes over a Sync meanwhile (manual, "COPY Operations").</summary>
    public bool IsCopying { get; set; }

    /// <summary>A request for encryption was sent: the response is one byte.</summary>
    public bool AwaitsEncryption { get; set; }

    /// <summary>Nothing that follows on the connection makes a span.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Requests passed unseen, or what came is none.</summary>
    public bool IsLost => reader.IsLost;

    /// <summary>The last Parse.</summary>
    public ref PendingParse Parse => ref parse;

    /// <summary>Ready for a connection.</summary>
    /// <param name="fromStart">It begins with the start-up.</param>
    public void Begin(bool fromStart)
    {
        reader.Begin();
        reader.IsUntyped = fromStart;
        start = 0;
        IsCopying = AwaitsEncryption = IsOver = isPipelined = false;
    }

    /// <summary>Reads a stretch.</summary>
    /// <param name="segment">Consumed.</param>
    /// <param name="responses">How far they are known.</param>
    /// <returns>Whether it could be read as messages.</returns>
    public bool Read(ref Segment segment, PostgresResponses responses)
    {
        if (reader.IsLost && !TryResume(ref segment, responses))
        {
            return false;
        }

        while (!IsOver)
        {
            switch (reader.Read(ref segment, out var body))
            {
                case ReadStep.Message:
                    OnMessage(body, in segment, responses);
                    break;
                case ReadStep.Lost:
                    Lose(ref segment, responses);
                    return false;
                default:
                    return true;
            }
        }

        return true;
    }

    /// <summary>Gives everything back.</summary>
    public void Release()
    {
        reader.Restart();
        ReleaseParse();
    }

    /// <summary>Memory is tight: texts that can be shortened are.</summary>
    public void Shorten()
    {
        reader.Shorten();
        parse.Statement?.Shorten(protocol.Ledger.Buffers);
    }

    /// <summary>The statement of the last Parse is held no longer.</summary>
    public void ReleaseParse()
    {
        protocol.Texts.Release(parse.Statement);
        parse = default;
    }

    private bool TryResume(ref Segment segment, PostgresResponses responses)
    {
        var chain = segment.IsGap ? default : MessageChain.Walk(segment.Data, segment.Left, false);
        if (chain.IsResumption || (segment.IsAligned && !reader.IsAdrift && chain.Messages > 0))
        {
            reader.Restart();
            reader.IsUntyped = false;
            return true;
        }

        Miss(ref segment, responses);
        return false;
    }

    private void Lose(ref Segment segment, PostgresResponses responses)
    {
        Miss(ref segment, responses);
        session.Forget();
        start = 0;
        IsCopying = false;
    }

    /// <summary>
    /// Bytes in which requests may have begun. A client that sends one request at a time has had the responses to them when it sends the
    /// next; else they are still to come, and belong to none that is known.
    /// </summary>
    private void Miss(ref Segment segment, PostgresResponses responses)
    {
        var expected = exchanges.Expected;
        var isBetween = expected.Count == 0 && !exchanges.IsInDoubt && !isPipelined && segment.Unwalked == 0;
        var isData = expected.Count > 0 && (IsCopying || expected.First == Expected.StartUp);
        if (!isBetween && !isData)
        {
            exchanges.Miss();
            responses.Disturb();
        }

        protocol.Ledger.CountUnseen(segment.Left);
        reader.Lose(in segment);
        segment.SkipAll();
    }

    private void OnMessage(ReadOnlySpan<byte> body, in Segment segment, PostgresResponses responses)
    {
        switch (reader.Type)
        {
            case 0:
                OnStartUp(body);
                break;
            case (byte)'Q':
                OnBegin(responses);
                exchanges.Open(Expected.Query, ReadText(body, null), reader.Start, in segment);
                start = 0;
                break;
            case (byte)'P':
                OnBegin(responses);
                OnParse(body, in segment);
                break;
            case (byte)'B':
                OnBegin(responses);
                OnBind(body);
                break;
            case (byte)'E':
                OnBegin(responses);
                exchanges.Open(Expected.Execute, TextOfPortal(body), start, in segment);
                // The next Execute of the group begins with its own Bind, or by itself.
                start = -1;
                break;
            case (byte)'F':
                OnBegin(responses);
                exchanges.Open(Expected.Function, null, reader.Start, in segment);
                start = 0;
                break;
            case (byte)'S':
                start = 0;
                if (!IsCopying)
                {
                    exchanges.Add(Expected.Sync);
                }

                break;
            case (byte)'C':
                OnClose(body);
                break;
            case (byte)'c' or (byte)'f':
                IsCopying = false;
                break;
            default:
                // Describe, Flush, Terminate, data of COPY; passwords, of which nothing is kept.
                break;
        }
    }

    /// <summary>A message that may be the first of a request, and of a group up to a Sync.</summary>
    private void OnBegin(PostgresResponses responses)
    {
        if (start == 0)
        {
            if (exchanges.Expected.First == Expected.StartUp && responses.HasMissed)
            {
                // A client waits for the end of the start-up, which was not seen then.
                _ = exchanges.Expected.Take();
            }

            if (exchanges.IsInDoubt && responses.IsAtRest)
            {
                responses.EndDoubt();
            }

            if (!exchanges.IsInDoubt && exchanges.Expected.Turns > 0 && exchanges.Expected.First != Expected.StartUp)
            {
                // A client that waits for each response has had it, although it was not seen.
                if (responses.IsLost && !isPipelined && exchanges.Expected.Last != Expected.Unknown)
                {
                    exchanges.FinishAll(SpanOutcome.Unfinished, 0);
                }
                else
                {
                    isPipelined |= !responses.IsLost;
                }
            }
        }

        start = start <= 0 ? reader.Start : start;
    }

    private void OnStartUp(ReadOnlySpan<byte> body)
    {
        if (reader.Code is StartUpMessage.Ssl or StartUpMessage.GssEncryption)
        {
            AwaitsEncryption = true;
            return;
        }

        AwaitsEncryption = false;
        reader.IsUntyped = false;
        if (reader.Code == StartUpMessage.Cancel || !session.TryBegin(reader.Code, body))
        {
            IsOver = true;
            return;
        }

        exchanges.Add(Expected.StartUp);
    }

    private void OnParse(ReadOnlySpan<byte> body, in Segment segment)
    {
        ReleaseParse();
        var ordinal = exchanges.Expected.Next;
        var isNamed = NulText.TryTake(ref body, out var name);
        var text = isNamed ? ReadText(body, name) : null;
        if (isNamed)
        {
            session.Statements.Set(name, protocol.Texts.Hold(text), ordinal);
        }

        parse = new PendingParse
        {
            Statement = text,
            Ordinal = ordinal,
            Start = reader.Start,
            End = segment.Time,
            Pid = segment.Pid,
            Tid = segment.Tid,
            Goroutine = segment.Goroutine,
        };
        exchanges.Add(Expected.Parse);
    }

    private void OnBind(ReadOnlySpan<byte> body)
    {
        // First the portal, then the statement.
        if (!NulText.TryTake(ref body, out var portal))
        {
            session.Portals.Clear();
            return;
        }

        var isKnown = NulText.TryTake(ref body, out var statement);
        session.Portals.Set(portal, isKnown ? protocol.Texts.Hold(session.Statements.Find(statement)) : null, exchanges.Expected.Next);
        session.Portals.Settle(exchanges.Expected.Next);
    }

    private StatementText? TextOfPortal(ReadOnlySpan<byte> body) =>
        NulText.TryTake(ref body, out var portal) ? protocol.Texts.Hold(session.Portals.Find(portal)) : null;

    private void OnClose(ReadOnlySpan<byte> body)
    {
        var names = !body.IsEmpty && body[0] == 'P' ? session.Portals : session.Statements;
        var name = body.IsEmpty ? body : body[1..];
        if (NulText.TryTake(ref name, out var closed))
        {
            names.Remove(closed);
        }
        else
        {
            names.Clear();
        }
    }

    /// <summary>The statement in the bytes up to a NUL.</summary>
    /// <param name="text">As far as it is visible.</param>
    /// <param name="name">Name of the prepared statement; empty for none.</param>
    private StatementText ReadText(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        var isWhole = NulText.TryTake(ref text, out var whole);
        var sql = isWhole ? whole : text;

        // What the server has not responded to yet may change how it reads this.
        var reading = exchanges.Expected.Count == 0 ? session.Settings.Reading : SqlReading.Unknown;
        return name.IsEmpty ? protocol.Texts.Read(sql, !isWhole, reading) : protocol.Texts.Share(sql, !isWhole, reading);
    }
}

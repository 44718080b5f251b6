using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// What a server sends: finds the messages, whose meaning is <see cref="PostgresPairing"/>'s matter. Where rows passed unseen it goes on at
/// an operation whose end or beginning is messages again.
/// </summary>
/// <param name="protocol">Gives buffers.</param>
/// <param name="session">Statements and portals.</param>
/// <param name="exchanges">Told how requests ended.</param>
/// <param name="requests">Know of COPY and of the last Parse.</param>
internal sealed class PostgresResponses(
    PostgresProtocol protocol, PostgresSession session, PostgresExchanges exchanges, PostgresRequests requests)
{
    private readonly MessageReader reader = new(protocol.Ledger.Buffers, true);
    private readonly PostgresPairing pairing = new(protocol, session, exchanges, requests);

    /// <summary>The last thing that was seen is the end of all responses that were due.</summary>
    public bool IsAtRest { get; private set; }

    /// <summary>Requests passed unseen: that the last responses were all says nothing any more.</summary>
    public void Disturb() => IsAtRest = false;

    /// <summary>The connection was at rest: the next response is that of the next request.</summary>
    public void EndDoubt()
    {
        exchanges.EndDoubt();
        pairing.EndGroup();
    }

    /// <summary>Messages passed unseen.</summary>
    public bool IsLost => reader.IsLost;

    /// <summary>Messages passed unseen since the beginning.</summary>
    public bool HasMissed => reader.HasMissed;

    /// <summary>What follows makes no span: it is encrypted, or a stream of replication.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Ready for a connection.</summary>
    public void Begin()
    {
        reader.Begin();
        IsOver = false;
        IsAtRest = true;
        pairing.EndGroup();
    }

    /// <summary>Reads a stretch.</summary>
    /// <param name="segment">Consumed.</param>
    /// <returns>Whether it could be read as messages.</returns>
    public bool Read(ref Segment segment)
    {
        if (!segment.IsGap && exchanges.First is { } first)
        {
            first.LastSeen = segment.Time;
        }

        if (requests.AwaitsEncryption && !TryGoOnClear(ref segment))
        {
            return true;
        }

        if (reader.IsLost && !TryResume(ref segment))
        {
            return true;
        }

        while (!IsOver)
        {
            switch (reader.Read(ref segment, out var body))
            {
                case ReadStep.Message:
                    OnMessage(body, segment.Time);
                    break;
                case ReadStep.Lost:
                    reader.Lose(in segment);
                    session.Settings.Forget();
                    IsAtRest = false;
                    return TryFindEnd(ref segment);
                default:
                    return true;
            }
        }

        return true;
    }

    /// <summary>Gives everything back.</summary>
    public void Release() => reader.Restart();

    /// <summary>The response to SSLRequest or GSSENCRequest is one byte: N goes on in clear, S and G do not.</summary>
    private bool TryGoOnClear(ref Segment segment)
    {
        if (segment.Left == 0)
        {
            return false;
        }

        requests.AwaitsEncryption = false;
        var response = segment.Data.IsEmpty ? (byte)0 : segment.Data[0];
        if (response == 'E')
        {
            // An error of a server that does not know the request.
            return true;
        }

        segment.Skip(1);
        // An unseen response is encrypted or not: the next request tells.
        IsOver = response is not ((byte)'N' or 0);
        return !IsOver;
    }

    private bool TryResume(ref Segment segment)
    {
        var chain = segment.IsGap ? default : MessageChain.Walk(segment.Data, segment.Left, true);
        if (chain.IsProof || (chain.Messages == 1 && (chain.Ends || (segment.IsAligned && !reader.IsAdrift))))
        {
            reader.Restart();
            if (exchanges.Expected.Turns > 1 || exchanges.Expected.CountExecutes() > 1)
            {
                // Which of them have their response is not known.
                exchanges.Doubt(segment.Time);
            }

            return true;
        }

        reader.Lose(in segment);
        _ = TryFindEnd(ref segment);
        return false;
    }

    /// <summary>Looks whether the operation ends with ReadyForQuery; then the next one begins with a message.</summary>
    private bool TryFindEnd(ref Segment segment)
    {
        var end = segment.Unseen > 0 ? segment.Tail : segment.Data;
        var isReady = !segment.IsGap && MessageChain.EndsReady(end);
        if (isReady)
        {
            reader.Restart();
            exchanges.Settle();
            IsAtRest = true;
            if (!exchanges.IsInDoubt)
            {
                pairing.OnReadyUnseen(end, segment.Time);
            }
        }

        segment.SkipAll();
        return isReady;
    }

    private void OnMessage(ReadOnlySpan<byte> body, long time)
    {
        var type = reader.Type;
        if (type is (byte)'N' or (byte)'A' or (byte)'S')
        {
            // They come at any time and respond to nothing.
            if (type == 'S')
            {
                session.Settings.Take(body);
            }

            return;
        }

        IsAtRest = type == 'Z';
        exchanges.Settle();
        if (type == 'W')
        {
            // COPY both ways: a stream of replication begins.
            exchanges.FinishAll(SpanOutcome.Upgraded, time);
            IsOver = true;
        }
        else if (!exchanges.IsInDoubt)
        {
            pairing.OnMessage(type, body, time);
            // The end of what was known says nothing of the requests behind it that were not seen.
            IsAtRest &= !exchanges.IsInDoubt;
        }
    }
}

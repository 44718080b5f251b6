using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// The command that is being read: of its first byte only time and place are known, with its name it is an exchange, and with its last
/// argument it is placed among those that wait for a response.
/// </summary>
internal struct RedisPending
{
    private RedisCommandText text;
    private RedisExchange? exchange;
    private RespPeek name;
    private long startTime, startGoroutine;
    private int startPid, startTid;
    private uint boundary;

    /// <summary>Its first byte.</summary>
    public void Begin(in Segment segment)
    {
        startTime = segment.Time;
        startPid = segment.Pid;
        startTid = segment.Tid;
        startGoroutine = segment.Goroutine;
        boundary = segment.Opposite;
        name.Clear();
    }

    /// <summary>An argument begins; the name is none.</summary>
    public void BeginArgument()
    {
        if (exchange is not null)
        {
            text.BeginArgument();
        }
    }

    /// <summary>Bytes of the name or of an argument.</summary>
    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        if (exchange is not null)
        {
            text.Append(bytes);
        }
        else
        {
            name.Append(bytes);
        }
    }

    /// <summary>Bytes of them that were not seen.</summary>
    public void PassOver(long count)
    {
        if (exchange is not null)
        {
            text.PassOver(count);
        }
        else
        {
            name.Append("?"u8);
        }
    }

    /// <summary>An argument is complete.</summary>
    public void EndArgument()
    {
        if (exchange is not null)
        {
            text.EndArgument();
        }
    }

    /// <summary>An argument or the name is over: if it was the name, the exchange begins.</summary>
    /// <param name="exchanges">Open it.</param>
    /// <param name="following">Arguments that follow.</param>
    /// <param name="isCertain">A command begins here: else only what has a name is taken for one.</param>
    /// <returns>False when it is no command.</returns>
    public bool TryOpen(RedisExchanges exchanges, long following, bool isCertain)
    {
        if (exchange is not null)
        {
            return true;
        }

        if (!isCertain && !RedisCommands.IsName(name.All))
        {
            return false;
        }

        exchange = exchanges.Open(startTime, startPid, startTid, startGoroutine);
        exchange.Boundary = boundary;
        text.Begin(exchange, name.All, following, exchanges.Buffers);
        return true;
    }

    /// <summary>Its last byte.</summary>
    public void Complete(RedisExchanges exchanges, long time)
    {
        exchange!.HandlerStart = time;
        Place(exchanges);
    }

    /// <summary>Nothing more comes: a command that is not complete ends as it is.</summary>
    public void End(RedisExchanges exchanges)
    {
        if (exchange is not null)
        {
            text.Cut();
            Place(exchanges);
        }
    }

    /// <summary>Memory is tight: its text is shortened.</summary>
    public void Shorten()
    {
        if (exchange is not null)
        {
            text.Shorten();
        }
    }

    /// <summary>Forgets it; whoever has the exchange gives it back.</summary>
    public void Clear() => exchange = null;

    private void Place(RedisExchanges exchanges)
    {
        var placed = exchange!;
        exchange = null;
        exchanges.Place(placed);
    }
}

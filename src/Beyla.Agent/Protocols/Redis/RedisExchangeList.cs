namespace Beyla.Agent.Protocols.Redis;

/// <summary>Exchanges in the order in which they came.</summary>
internal struct RedisExchangeList
{
    private RedisExchange? last;

    /// <summary>The oldest.</summary>
    public RedisExchange? First { get; private set; }

    /// <summary>The newest; null when there is none.</summary>
    public readonly RedisExchange? Last => last;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds the newest.</summary>
    public void Add(RedisExchange exchange)
    {
        exchange.Next = null;
        if (last is null)
        {
            First = exchange;
        }
        else
        {
            last.Next = exchange;
        }

        last = exchange;
        Count++;
    }

    /// <summary>Takes the oldest out, or null.</summary>
    public RedisExchange? Take()
    {
        if (First is not { } exchange)
        {
            return null;
        }

        First = exchange.Following;
        last = First is null ? null : last;
        exchange.Next = null;
        Count--;
        return exchange;
    }
}

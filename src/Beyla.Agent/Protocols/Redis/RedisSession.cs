namespace Beyla.Agent.Protocols.Redis;

/// <summary>What earlier commands said of a connection.</summary>
internal struct RedisSession
{
    /// <summary>Number of the database; -1 when it is not known.</summary>
    public int Database;

    /// <summary>Version of RESP, 2 or 3; 0 when it is not known.</summary>
    public byte Version;

    /// <summary>Channels and patterns that are subscribed to, and channels of shards, as far as confirmations were seen.</summary>
    public long Channels, Patterns, Shards;

    /// <summary>After MONITOR: lines come that are no responses.</summary>
    public bool IsMonitoring;

    /// <summary>After CLIENT REPLY OFF: commands have no response.</summary>
    public bool IsSilent;

    /// <summary>After CLIENT REPLY SKIP: the next command has no response.</summary>
    public bool IsNextSilent;

    /// <summary>MULTI was sent: commands are queued, if the server agrees.</summary>
    public bool IsQueuing;

    /// <summary>A session of which all is known, or nothing.</summary>
    /// <param name="isFresh">It begins now: database 0, RESP2.</param>
    public RedisSession(bool isFresh)
    {
        Database = isFresh ? 0 : -1;
        Version = (byte)(isFresh ? 2 : 0);
    }

    /// <summary>Messages come that are no responses.</summary>
    public readonly bool IsSubscribed => Channels + Patterns + Shards > 0;

    /// <summary>A command was sent.</summary>
    /// <returns>Whether it has a response.</returns>
    public bool Expects(RedisExchange exchange)
    {
        var isSilent = IsSilent || IsNextSilent;
        IsNextSilent = false;
        switch (exchange.Kind)
        {
            case RedisCommandKind.Multi:
                IsQueuing = true;
                break;
            case RedisCommandKind.Exec or RedisCommandKind.Discard:
                IsQueuing = false;
                break;
            case RedisCommandKind.Reset:
                isSilent &= !IsSilent;
                IsSilent = IsQueuing = false;
                break;
            case RedisCommandKind.ClientReply when !IsQueuing && exchange.Number == RedisExchange.ReplyOn:
                IsSilent = isSilent = false;
                break;
            case RedisCommandKind.ClientReply when !IsQueuing && exchange.Number == RedisExchange.ReplyOff:
                IsSilent = isSilent = true;
                break;
            case RedisCommandKind.ClientReply when !IsQueuing && exchange.Number == RedisExchange.ReplySkip:
                IsNextSilent = !IsSilent;
                isSilent = true;
                break;
            default:
                break;
        }

        return !isSilent;
    }

    /// <summary>A command was sent whose response will not be looked at.</summary>
    public void Forget(RedisExchange exchange)
    {
        Database = exchange.Kind is RedisCommandKind.Select or RedisCommandKind.Reset ? -1 : Database;
        Version = exchange.Kind is RedisCommandKind.Hello or RedisCommandKind.Reset ? (byte)0 : Version;
    }

    /// <summary>The version of RESP, as far as a response tells it that is possible in one of them only.</summary>
    public void Infer(in RedisReply reply)
    {
        if (reply.Type is (byte)'_' or (byte)',' or (byte)'#' or (byte)'(' or (byte)'!' or (byte)'=' or (byte)'~' or (byte)'>' or (byte)'%')
        {
            Version = 3;
        }
        else if (Version == 0 && reply.IsNull)
        {
            Version = 2;
        }
    }

    /// <summary>How many confirmations a command has that names no channels.</summary>
    /// <param name="word">The first element of the first one.</param>
    public readonly long Expected(scoped ReadOnlySpan<byte> word) =>
        Math.Max(1, IsOfShards(word) ? Shards : word[0] == 'p' ? Patterns : Channels);

    /// <summary>Notes a confirmation of SUBSCRIBE, PUNSUBSCRIBE and so on.</summary>
    /// <param name="word">Its first element.</param>
    /// <param name="count">Its third: how many subscriptions there are now; those to channels and patterns are counted together.</param>
    public void Confirm(scoped ReadOnlySpan<byte> word, long count)
    {
        count = Math.Max(count, 0);
        if (IsOfShards(word))
        {
            Shards = count;
        }
        else if (word[0] == 'p')
        {
            Patterns = Math.Max(0, count - Channels);
            Channels = count - Patterns;
        }
        else
        {
            Channels = Math.Max(0, count - Patterns);
            Patterns = count - Channels;
        }
    }

    private static bool IsOfShards(scoped ReadOnlySpan<byte> word) => word.StartsWith("ss"u8) || word.StartsWith("sun"u8);
}

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Connections on which commands are held back because it is not certain whose their responses are, in the order of the last response. When
/// for long nothing comes, no earlier command waits for a response: a server responds in order, and to all but commands that block at once.
/// </summary>
internal sealed class RedisDoubts
{
    /// <summary>How long nothing has to come, nanoseconds.</summary>
    public const long Long = 5_000_000_000;

    private const int MaxPerTick = 256;

    private RedisConversation? earliest, latest;

    /// <summary>When <see cref="Tick"/> has something to do, at the earliest; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Due => earliest is null ? long.MaxValue : earliest.Doubt.Since + Long;

    /// <summary>A response came on a connection.</summary>
    /// <param name="conversation">Of the connection.</param>
    /// <param name="time">When; CLOCK_MONOTONIC in nanoseconds.</param>
    public void Add(RedisConversation conversation, long time)
    {
        Remove(conversation);
        ref var doubt = ref conversation.Doubt;
        doubt = new DoubtNode { IsListed = true, Since = time, Earlier = latest };
        _ = latest is null ? earliest = conversation : latest.Doubt.Later = conversation;
        latest = conversation;
    }

    /// <summary>Nothing is held back any more.</summary>
    public void Remove(RedisConversation conversation)
    {
        ref var doubt = ref conversation.Doubt;
        if (!doubt.IsListed)
        {
            return;
        }

        _ = doubt.Earlier is null ? earliest = doubt.Later : doubt.Earlier.Doubt.Later = doubt.Later;
        _ = doubt.Later is null ? latest = doubt.Earlier : doubt.Later.Doubt.Earlier = doubt.Earlier;
        doubt = default;
    }

    /// <summary>Time passes: tells connections that nothing came for long, a bounded number.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    public void Tick(long now)
    {
        for (var i = 0; i < MaxPerTick && earliest is { } conversation && now - conversation.Doubt.Since >= Long; i++)
        {
            Remove(conversation);
            conversation.Rest();
        }
    }
}

/// <summary>The place of a conversation in <see cref="RedisDoubts"/>.</summary>
internal struct DoubtNode
{
    /// <summary>Neighbours.</summary>
    public RedisConversation? Earlier, Later;

    /// <summary>When the last response came; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Since;

    /// <summary>It has a place.</summary>
    public bool IsListed;
}

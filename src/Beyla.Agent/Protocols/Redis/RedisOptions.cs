namespace Beyla.Agent.Protocols.Redis;

/// <summary>Settings of the Redis protocol.</summary>
public sealed record RedisOptions
{
    /// <summary>
    /// How long a command may stay without a response before it is reported as timed out; zero waits for ever. Commands that block by
    /// design (BLPOP, XREAD, WAIT) have no limit.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; }

    /// <summary>
    /// Commands without a complete response that are kept per connection; what a client pipelines beyond that is counted as lost.
    /// Pipelines of thousands are usual with Redis.
    /// </summary>
    public int MaxPipelined { get; init; } = 16384;

    /// <summary>Whether spans show the number of the database, where it is known (ebpf.redis_db_cache.enabled).</summary>
    public bool IsDatabaseShown { get; init; } = true;
}

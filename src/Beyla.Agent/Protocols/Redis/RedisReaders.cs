namespace Beyla.Agent.Protocols.Redis;

/// <summary>The readers of both directions. A connection has them while something is open on it: thousands are quiet at a time.</summary>
internal sealed class RedisReaders
{
    /// <summary>Estimated bytes of the object with what it refers to.</summary>
    public const int Size = 704;

    /// <summary>The stream of commands.</summary>
    public RedisRequests Requests { get; } = new();

    /// <summary>The stream of responses.</summary>
    public RedisReplies Replies { get; } = new();

    /// <summary>Nothing of a command or of a response was read of which the end is missing.</summary>
    public bool AreBetween => Requests.IsBetween && Replies.IsBetween;

    /// <summary>Ready for a connection, between two commands and two responses.</summary>
    public void Begin(RedisExchanges exchanges, RedisResponses responses)
    {
        Requests.Begin(exchanges);
        Replies.Begin(responses);
    }
}

namespace Beyla.Agent.Protocols.Redis;

/// <summary>What a command does to the connection, as far as it matters for its responses.</summary>
internal enum RedisCommandKind : byte
{
    /// <summary>Nothing: one response.</summary>
    Plain,

    /// <summary>May take as long as it likes: no time limit.</summary>
    Blocking,

    /// <summary>PING: a subscribed connection of RESP2 may send it too.</summary>
    Ping,

    /// <summary>SELECT: another database.</summary>
    Select,

    /// <summary>HELLO: another version of RESP.</summary>
    Hello,

    /// <summary>EXEC: the responses of all commands that were queued.</summary>
    Exec,

    /// <summary>MULTI: what follows is queued.</summary>
    Multi,

    /// <summary>DISCARD: what was queued is dropped.</summary>
    Discard,

    /// <summary>SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE: one confirmation for each channel.</summary>
    Subscribe,

    /// <summary>UNSUBSCRIBE, PUNSUBSCRIBE, SUNSUBSCRIBE: one confirmation for each channel, named or not.</summary>
    Unsubscribe,

    /// <summary>MONITOR: from now on a line for each command of others.</summary>
    Monitor,

    /// <summary>CLIENT REPLY: commands may have no response.</summary>
    ClientReply,

    /// <summary>RESET: the state of a new connection.</summary>
    Reset,

    /// <summary>PSYNC, SYNC: the connection goes over to replication.</summary>
    Replicate,

    /// <summary>Has sub-commands: the second word belongs to the name.</summary>
    Container,
}

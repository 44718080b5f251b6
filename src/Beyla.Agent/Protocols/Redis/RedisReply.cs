namespace Beyla.Agent.Protocols.Redis;

/// <summary>A response, or a message that is none, as far as anyone wants to know it.</summary>
internal readonly ref struct RedisReply
{
    /// <summary>First byte: its type.</summary>
    public byte Type { get; init; }

    /// <summary>Elements of an array, a set or a push, twice the pairs of a map; -1 for null and for what has none.</summary>
    public long Elements { get; init; }

    /// <summary>It is null.</summary>
    public bool IsNull { get; init; }

    /// <summary>The first bytes of it, or of its first element.</summary>
    public ReadOnlySpan<byte> Text { get; init; }

    /// <summary>Its third element, when that is a number.</summary>
    public long Third { get; init; }

    /// <summary>It is an error.</summary>
    public bool IsError => Type is (byte)'-' or (byte)'!';

    /// <summary>It begins like a message or a confirmation of pub/sub: RESP2 has them as arrays.</summary>
    public bool IsPublished => IsConfirmation || Text.SequenceEqual("message"u8) || Text.SequenceEqual("pmessage"u8)
        || Text.SequenceEqual("smessage"u8);

    /// <summary>It begins like a confirmation of pub/sub.</summary>
    public bool IsConfirmation => Text.EndsWith("subscribe"u8) && Text[..^9] is var before
        && (before.IsEmpty || before.SequenceEqual("p"u8) || before.SequenceEqual("s"u8) || before.SequenceEqual("un"u8)
            || before.SequenceEqual("pun"u8) || before.SequenceEqual("sun"u8));
}

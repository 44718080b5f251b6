namespace Beyla.Agent.Protocols.Postgres;

/// <summary>Texts with a NUL behind them, as the protocol has them ("String" in the PostgreSQL manual, "Message Data Types").</summary>
internal static class NulText
{
    /// <summary>Takes a text and its NUL from the front.</summary>
    /// <returns>Whether the NUL is there; else nothing is taken.</returns>
    public static bool TryTake(scoped ref ReadOnlySpan<byte> from, out ReadOnlySpan<byte> text)
    {
        var end = from.IndexOf((byte)0);
        text = end < 0 ? default : from[..end];
        from = end < 0 ? from : from[(end + 1)..];
        return end >= 0;
    }
}

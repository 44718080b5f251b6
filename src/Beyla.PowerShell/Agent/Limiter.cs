namespace Beyla.PowerShell.Agent;

/// <summary>Lets the same warning through once in a while and counts the ones between.</summary>
public sealed class Limiter
{
    private const int Kinds = 64;

    private readonly Dictionary<string, (long Next, long Held)> kinds = new(StringComparer.Ordinal);
    private readonly long pause;

    /// <param name="pause">The time between two warnings of a kind.</param>
    public Limiter(TimeSpan pause) => this.pause = (long)pause.TotalMilliseconds;

    /// <summary>Whether a warning of this kind may be shown now.</summary>
    /// <param name="kind">What makes warnings alike.</param>
    /// <param name="now">Milliseconds, from any origin.</param>
    /// <param name="held">How many of the kind were held back since the last one.</param>
    public bool Allow(string kind, long now, out long held)
    {
        // More kinds than fit share one place: whatever an agent invents, the memory stays.
        var key = kinds.ContainsKey(kind) || kinds.Count < Kinds ? kind : "";
        var (next, count) = kinds.TryGetValue(key, out var entry) ? entry : (long.MinValue, 0);
        held = count;
        if (now < next)
        {
            kinds[key] = (next, count + 1);
            return false;
        }

        kinds[key] = (now + this.pause, 0);
        return true;
    }
}

namespace Beyla.PowerShell.Agent;

/// <summary>Lets the same warning through once in a while and counts the ones between.</summary>
public sealed class Limiter
{
    private const int Kinds = 64;

    private readonly Dictionary<string, (long Next, long Held)> _kinds = new(StringComparer.Ordinal);
    private readonly long _pause;

    /// <param name="pause">The time between two warnings of a kind.</param>
    public Limiter(TimeSpan pause) => _pause = (long)pause.TotalMilliseconds;

    /// <summary>Whether a warning of this kind may be shown now.</summary>
    /// <param name="kind">What makes warnings alike.</param>
    /// <param name="now">Milliseconds, from any origin.</param>
    /// <param name="held">How many of the kind were held back since the last one.</param>
    public bool Allow(string kind, long now, out long held)
    {
        // More kinds than fit share one place: whatever an agent invents, the memory stays.
        var key = _kinds.ContainsKey(kind) || _kinds.Count < Kinds ? kind : "";
        var (next, count) = _kinds.TryGetValue(key, out var entry) ? entry : (long.MinValue, 0);
        held = count;
        if (now < next)
        {
            _kinds[key] = (next, count + 1);
            return false;
        }

        _kinds[key] = (now + _pause, 0);
        return true;
    }
}

namespace Beyla.Agent.Logging;

/// <summary>Lets one event of a key through in an interval and counts the others. Safe from any thread.</summary>
internal sealed class LogLimiter(TimeSpan interval)
{
    private const int MaximumKeys = 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<string, (long Last, long Suppressed)> keys = new(StringComparer.Ordinal);

    /// <summary>Whether the event passes.</summary>
    /// <param name="key">What is limited.</param>
    /// <param name="now">Milliseconds of a clock that never goes back.</param>
    /// <param name="suppressed">How many events of the key were held back since the last one that passed.</param>
    public bool TryPass(string key, long now, out long suppressed)
    {
        lock (gate)
        {
            // Past the bound all new keys share one: fewer lines, never more memory.
            if (!keys.ContainsKey(key) && keys.Count >= MaximumKeys)
            {
                key = "";
            }

            if (keys.TryGetValue(key, out var state) && now - state.Last < (long)interval.TotalMilliseconds)
            {
                keys[key] = (state.Last, state.Suppressed + 1);
                suppressed = 0;
                return false;
            }

            suppressed = state.Suppressed;
            keys[key] = (now, 0);
            return true;
        }
    }
}

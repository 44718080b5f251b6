using System.Globalization;

namespace Beyla.Live.Tests.Rig;

/// <summary>What tests read in the agent's log.</summary>
internal static class AgentLog
{
    /// <summary>The log line that says that every program is attached.</summary>
    public const string Ready = "msg=\"Beyla is tracing\"";

    /// <summary>The counters of one place in a log line, or null when the line holds none.</summary>
    public static PlaceCount? TryCounters(string line)
    {
        Dictionary<string, string> pairs = Logfmt.Parse(line);
        if (!pairs.TryGetValue("place", out string? place) || !pairs.ContainsKey("produced"))
            return null;
        return new PlaceCount
        {
            Place = place, Unit = pairs.GetValueOrDefault("unit", ""), Produced = Number("produced"), Emitted = Number("emitted"),
            Aggregated = Number("aggregated"), Filtered = Number("filtered"), Lost = Number("lost"), Held = Number("held"),
        };

        long Number(string key) => pairs.TryGetValue(key, out string? value) ? long.Parse(value, CultureInfo.InvariantCulture) : 0;
    }

    /// <summary>For messages.</summary>
    public static string Describe(PlaceCount count) => string.Create(
        CultureInfo.InvariantCulture,
        $"{count.Place} ({count.Unit}): produced {count.Produced}, emitted {count.Emitted}, aggregated {count.Aggregated}, filtered {count.Filtered}, lost {count.Lost}, held {count.Held}");
}

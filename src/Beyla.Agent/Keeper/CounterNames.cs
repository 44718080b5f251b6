using Beyla.Agent.Counting;

namespace Beyla.Agent.Keeper;

/// <summary>The places of the keeper and what they count, by number: rows of counters are structs of numbers.</summary>
public static class CounterNames
{
    /// <summary>Places, in the order of their numbers.</summary>
    public static readonly string[] Places = ["names", "watcher", "sockets", "connections", "statistics"];

    /// <summary>Units, in the order of their numbers.</summary>
    public static readonly string[] Units = ["events", "operations", "calls"];

    /// <summary>A row for what a place counted.</summary>
    /// <exception cref="ArgumentException">The place or its unit has no number.</exception>
    public static CounterRow Row(in PlaceCounters counters) => new()
    {
        Place = NumberOf(Places, counters.Place), Unit = NumberOf(Units, counters.Unit),
        Produced = counters.Produced, Emitted = counters.Emitted, Aggregated = counters.Aggregated,
        Filtered = counters.Filtered, Lost = counters.Lost, Held = counters.Held,
    };

    /// <summary>What a row says.</summary>
    public static PlaceCounters Counters(in CounterRow row) => new(
        Places[(int)row.Place], Units[(int)row.Unit], row.Produced, row.Emitted, row.Aggregated, row.Filtered, row.Lost, row.Held);

    private static uint NumberOf(string[] names, string name) => Array.IndexOf(names, name) is >= 0 and var number
        ? (uint)number : throw new ArgumentException($"'{name}' has no number here", nameof(name));
}

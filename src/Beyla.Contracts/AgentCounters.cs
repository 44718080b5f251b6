namespace Beyla;

/// <summary>What each place in the agent did with what reached it (line type <c>counters</c>).</summary>
public sealed class AgentCounters
{
    /// <summary>Time of counting.</summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>One entry per stage, in pipeline order.</summary>
    public IReadOnlyList<PlaceCount> Places { get; init; } = [];

    /// <summary>The sum of what was lost anywhere.</summary>
    public long Lost => Places.Sum(place => place.Lost);
}

/// <summary>What one place did with what reached it: <see cref="Produced"/> is the sum of the others.</summary>
public sealed class PlaceCount
{
    /// <summary>The place: <c>sockets</c>, <c>tracing</c>, <c>spans</c>, <c>printer</c>, …</summary>
    public string Place { get; init; } = "";

    /// <summary>What is counted: <c>events</c>, <c>spans</c>, <c>flows</c>, <c>packets</c>.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Reached or arose at the place.</summary>
    public long Produced { get; init; }

    /// <summary>Handed on one by one.</summary>
    public long Emitted { get; init; }

    /// <summary>Became part of something larger that is counted at the next place.</summary>
    public long Aggregated { get; init; }

    /// <summary>Left out on purpose.</summary>
    public long Filtered { get; init; }

    /// <summary>Dropped for want of room, or because nobody read.</summary>
    public long Lost { get; init; }

    /// <summary>Still in the place when it was counted.</summary>
    public long Held { get; init; }

    /// <summary>Whether the sum agrees.</summary>
    public bool Balanced => Produced == Emitted + Aggregated + Filtered + Lost + Held;
}

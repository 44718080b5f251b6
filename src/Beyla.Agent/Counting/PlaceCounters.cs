namespace Beyla.Agent.Counting;

/// <summary>
/// What one stage of the pipeline did with what reached it. Nothing is lost silently: <see cref="Produced"/> is always the sum of the
/// others.
/// </summary>
/// <param name="Place">The place: <c>sockets</c>, <c>tracing</c>, <c>printer</c>, …</param>
/// <param name="Unit">What is counted there: <c>events</c>, <c>spans</c>, <c>flows</c>, <c>packets</c>.</param>
/// <param name="Produced">Reached or arose at the place.</param>
/// <param name="Emitted">Handed on to the next place, one by one.</param>
/// <param name="Aggregated">Became part of something larger that is counted at the next place.</param>
/// <param name="Filtered">Left out on purpose.</param>
/// <param name="Lost">Dropped for want of room.</param>
/// <param name="Held">Still in the place at the moment of counting.</param>
public readonly record struct PlaceCounters(
    string Place, string Unit, long Produced, long Emitted = 0, long Aggregated = 0, long Filtered = 0, long Lost = 0, long Held = 0)
{
    /// <summary>Whether the sum agrees.</summary>
    public bool Balanced => Produced == Emitted + Aggregated + Filtered + Lost + Held;
}

namespace Beyla.Agent.Counting;

/// <summary>A place that counts. Called on any thread; the answer is a snapshot.</summary>
public interface ICounted
{
    /// <summary>The counters of each place; the sums of each agree (<see cref="PlaceCounters.Balanced"/>).</summary>
    IEnumerable<PlaceCounters> Count();
}

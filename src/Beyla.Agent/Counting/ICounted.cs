namespace Beyla.Agent.Counting;

/// <summary>A place that counts. Called on any thread; the answer is a snapshot.</summary>
public interface ICounted
{
    IEnumerable<PlaceCounters> Count();
}

namespace Beyla.Agent.Tracing.Parents;

/// <summary>The open requests of Go programs by the goroutine that read them. A goroutine serves one at a time.</summary>
internal sealed class Goroutines
{
    /// <summary>Further ones are not found.</summary>
    private const int MaxEntries = 65_536;

    private readonly Dictionary<(int Pid, long Goroutine), Exchange> requests = [];

    /// <summary>Requests that are found.</summary>
    public int Count => requests.Count;

    /// <summary>A goroutine has read a request. It is done with the one before.</summary>
    public void Add(int pid, long goroutine, Exchange request)
    {
        if (requests.TryGetValue((pid, goroutine), out var before))
        {
            before.Links.Goroutine = 0;
        }
        else if (requests.Count >= MaxEntries)
        {
            return;
        }

        request.Links.Goroutine = goroutine;
        requests[(pid, goroutine)] = request;
    }

    /// <summary>A request that was added is over.</summary>
    public void Remove(int pid, Exchange request)
    {
        _ = requests.Remove((pid, request.Links.Goroutine));
        request.Links.Goroutine = 0;
    }

    /// <summary>The open request that a goroutine has read, or null.</summary>
    public Exchange? Find(int pid, long goroutine) => goroutine == 0 ? null : requests.GetValueOrDefault((pid, goroutine));
}

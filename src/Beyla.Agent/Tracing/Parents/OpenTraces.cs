using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// The open requests that came with a trace, by process and trace: a call that names the same trace belongs to that request, whatever
/// thread makes it. Of several with the same trace in one process none can be told.
/// </summary>
internal sealed class OpenTraces
{
    /// <summary>Further ones are not found by their trace.</summary>
    private const int MaxEntries = 65_536;

    private readonly Dictionary<(int Pid, ulong High, ulong Low), (Exchange? Request, int Count)> open = [];

    /// <summary>A request with a trace has begun.</summary>
    public void Add(Exchange request)
    {
        var key = KeyOf(request.Links.Process!.Pid, in request.Context);
        if (open.TryGetValue(key, out var found))
        {
            open[key] = (null, found.Count + 1);
        }
        else if (open.Count < MaxEntries)
        {
            open[key] = (request, 1);
        }
        else
        {
            return;
        }

        request.Links.IsInTraces = true;
    }

    /// <summary>A request is over, or gets another trace.</summary>
    public void Remove(Exchange request)
    {
        request.Links.IsInTraces = false;
        var key = KeyOf(request.Links.Process!.Pid, in request.Context);
        if (!open.TryGetValue(key, out var found) || found.Count == 1)
        {
            _ = open.Remove(key);
        }
        else
        {
            open[key] = (null, found.Count - 1);
        }
    }

    /// <summary>The one open request of a process that has that trace, or null.</summary>
    public Exchange? Find(int pid, in TraceContext context) =>
        open.TryGetValue(KeyOf(pid, in context), out var found) ? found.Request : null;

    private static (int, ulong, ulong) KeyOf(int pid, in TraceContext context) => (pid, context.TraceHigh, context.TraceLow);
}

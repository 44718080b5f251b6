using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Tests.Processes;

/// <summary>
/// Takes each look on the calling thread: at once, so that it is there when the results are taken, or when the test says so.
/// </summary>
internal sealed class InlineInspections(ProcReader proc, IListenerScan listeners) : IInspections, IDisposable
{
    private readonly ProcessInspector inspector = new(proc.Another(), listeners, null, TimeSpan.FromMinutes(1));
    private readonly Queue<Inspection> waiting = [];
    private readonly Queue<InspectionResult> results = [];

    public void Dispose() => inspector.Dispose();

    public bool IsSlow { get; init; }

    public int Room { get; set; } = int.MaxValue;

    public List<Inspection> Asked { get; } = [];

    public bool TrySubmit(Inspection inspection)
    {
        if (waiting.Count >= Room)
        {
            return false;
        }

        Asked.Add(inspection);
        waiting.Enqueue(inspection);
        if (!IsSlow)
        {
            Answer();
        }

        return true;
    }

    /// <summary>Takes the looks that wait; false when there are none.</summary>
    public bool Answer()
    {
        using var aside = AsideThread.Enter();
        var any = waiting.Count > 0;
        while (waiting.TryDequeue(out var inspection))
        {
            results.Enqueue(inspector.Inspect(inspection));
        }

        return any;
    }

    public bool TryTake(out InspectionResult result) => results.TryDequeue(out result!);

    public void Watch()
    {
    }

    public void Wait(TimeSpan limit)
    {
    }
}

internal static class TableExtensions
{
    /// <summary>Who answers: a request comes in at the port, and what that makes known is taken.</summary>
    public static ProcessInfo? Find(this ProcessTable table, int pid, int servedPort)
    {
        table.Open(pid, servedPort);
        table.TakeResults();
        return table.Find(pid);
    }
}

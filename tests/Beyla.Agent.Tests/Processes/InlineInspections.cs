using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Takes each look at once, on the calling thread: what is asked for is there when the results are taken.</summary>
internal sealed class InlineInspections(ProcReader proc, IListenerScan listeners) : IInspections
{
    private readonly ProcessInspector inspector = new(proc.Another(), listeners, null, TimeSpan.FromMinutes(1));
    private readonly Queue<InspectionResult> results = [];

    public bool TrySubmit(Inspection inspection)
    {
        using var aside = AsideThread.Enter();
        results.Enqueue(inspector.Inspect(inspection));
        return true;
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

using Beyla.Agent.Flows;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>The flow programs behind a desk, likewise.</summary>
internal sealed class RecordingFlows : IFlowKernel
{
    public Dictionary<string, long> Calls { get; } = [];

    public Func<Exception>? Failure { get; set; }

    public bool KnowsProcesses => true;

    public int ProcessRefusal => 0;

    public string Source
    {
        get
        {
            Note();
            return "tcx and tc";
        }
    }

    public int InterfaceCount => 3;

    public int OverflowDescriptor => throw new NotSupportedException();

    public uint OverflowSize => throw new NotSupportedException();

    public FlowExchange Exchange => throw new NotSupportedException();

    public void Start() => Note();

    public void Detach() => Note();

    public void Swap() => Note();

    public bool ReadBatch(bool remove, bool first, out int count)
    {
        Note();
        count = 512;
        return true;
    }

    public void FindOwners(int count)
    {
        Assert.True(count is >= 0 and <= 512);
        Note();
    }

    public void WalkSockets() => Note();

    public FlowCounters Count()
    {
        Note();
        return default;
    }

    public void Dispose()
    {
    }

    private void Note([System.Runtime.CompilerServices.CallerMemberName] string member = "")
    {
        Calls[member] = Calls.GetValueOrDefault(member) + 1;
        if (Failure is not null)
        {
            throw Failure();
        }
    }
}

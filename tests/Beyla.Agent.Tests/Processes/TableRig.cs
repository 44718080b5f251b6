using System.Text;
using System.Text.RegularExpressions;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Processes;

/// <summary>
/// A process table over a fake kernel and a fake /proc, with a clock that the test moves and events as the kernel side would send them.
/// </summary>
internal sealed class TableRig : IDisposable
{
    public const int OwnPid = 77;

    private readonly SelectionNeeds needs;

    private readonly InlineInspections inspections;

    /// <param name="rules">What is selected.</param>
    /// <param name="exclusions">What is not.</param>
    /// <param name="options">Names and limits.</param>
    /// <param name="slow">Looks aside are taken only by <see cref="Answer"/>.</param>
    public TableRig(SelectionRule[] rules, SelectionRule[]? exclusions = null, ProcessTableOptions? options = null, bool slow = false)
    {
        Reader = new ProcReader(Proc.Root);
        var selection = new SelectionRules { Rules = rules, Exclusions = exclusions ?? [], OwnPid = OwnPid };
        needs = new SelectionNeeds(selection);
        inspections = new InlineInspections(Reader, Kernel) { IsSlow = slow };
        Table = new ProcessTable(
            selection, Kernel, Kernel, Reader, inspections,
            (options ?? new ProcessTableOptions()) with { Clock = () => Now, Selected = SelectedLog.Add, LostEvents = LostLog.Add })
        {
            Judged = Judged.Add,
        };
    }

    public FakeKernel Kernel { get; } = new();

    public FakeProc Proc { get; } = new();

    public ProcReader Reader { get; }

    public ProcessTable Table { get; }

    /// <summary>Whether exec events of processes that are not traced are wanted.</summary>
    public bool NeedsEveryExec => needs.EveryExec;

    /// <summary>Processes of which waiting spans were told to go.</summary>
    public List<int> Judged { get; } = [];

    /// <summary>The looks that were asked for.</summary>
    public List<Inspection> Asked => inspections.Asked;

    /// <summary>How many looks may wait.</summary>
    public int Room
    {
        init => inspections.Room = value;
    }

    public List<ProcessInfo> SelectedLog { get; } = [];

    /// <summary>What the log was told of lost events.</summary>
    public List<long> LostLog { get; } = [];

    /// <summary>Nanoseconds; each event is one later than the one before.</summary>
    public long Now { get; set; } = 1_000_000_000;

    public PlaceCounters Counters => Assert.Single(Table.Count());

    public static SelectionRule Ports(string ports, string? name = null) =>
        new() { Origin = "test", OpenPorts = Ranges(ports), ServiceName = name };

    public static SelectionRule Exe(string glob, string? name = null) =>
        new() { Origin = "test", ExecutablePath = Glob(glob), ServiceName = name };

    public static SelectionRule Language(string glob) => new() { Origin = "test", Languages = Glob(glob) };

    public static SelectionRule Pattern(string regex) => new() { Origin = "test", ExecutablePath = new RegexPattern(new Regex(regex)) };

    public static IntegerRanges Ranges(string text)
    {
        Assert.True(IntegerRanges.TryParse(text, 1, int.MaxValue, out var ranges, out var error), error);
        return ranges;
    }

    public static Glob Glob(string text)
    {
        Assert.True(Beyla.Agent.Selection.Glob.TryParse(text, out var glob, out var error), error);
        return glob;
    }

    /// <summary>fork: the kernel side selects the child of a selected process and says so; of others it says nothing.</summary>
    public void Fork(int parent, int child)
    {
        if (!Kernel.Pids.Contains(parent))
        {
            return;
        }

        Kernel.Pids.Add(child);
        Send(new ProcessEvent
        {
            Kind = ProcessEventKind.Fork, Pid = (uint)child, Parent = (uint)parent, Selected = ProcessSelection.Selected,
        });
    }

    public void Exec(int pid, string path = "/srv/app")
    {
        if (!Kernel.Pids.Contains(pid) && !needs.EveryExec)
        {
            return;
        }

        var e = new ProcessEvent { Kind = ProcessEventKind.Exec, Pid = (uint)pid, Selected = Bit(pid, needs.EveryExec) };
        Encoding.UTF8.GetBytes(path).CopyTo(e.Name);
        Send(e);
    }

    /// <summary>exit: the kernel side forgets both bits, and speaks of it when one was set.</summary>
    public void Exit(int pid)
    {
        Proc.Remove(pid);
        if (Kernel.Pids.Remove(pid) | Kernel.Excluded.Remove(pid))
        {
            Send(new ProcessEvent { Kind = ProcessEventKind.Exit, Pid = (uint)pid });
        }
    }

    public void Listen(int pid, ushort port)
    {
        Kernel.Listeners.Add((pid, port));
        if (Kernel.Ports.Contains(port) && !Kernel.Excluded.Contains(pid))
        {
            Kernel.Pids.Add(pid);
        }

        Send(new ProcessEvent
        {
            Kind = ProcessEventKind.Listen, Pid = (uint)pid, Port = port,
            Selected = Bit(pid, needs.JudgeListeners && !Kernel.Excluded.Contains(pid)),
        });
    }

    /// <summary>The kernel side had no room for some events, and two tenths of a second pass.</summary>
    public void Lose(uint events = 1)
    {
        Kernel.Lost += events;
        for (var i = 0; i < 2; i++)
        {
            Table.OnTick(Now += 100_000_000);
        }
    }

    /// <summary>Takes the looks that were asked for, and tells the table.</summary>
    public void Answer()
    {
        while (inspections.Answer())
        {
            Table.TakeResults();
        }
    }

    public void Send(ProcessEvent e)
    {
        e.Time = (ulong)++Now;
        Table.OnProcessEvent(e);
        Table.TakeResults();
        Assert.True(Counters.Balanced);
    }

    public void Dispose() => Proc.Dispose();

    /// <summary>As the kernel side does: whom only the table can judge is traced until it has.</summary>
    private ProcessSelection Bit(int pid, bool tentatively) =>
        !tentatively ? Kernel.Pids.Contains(pid) ? ProcessSelection.Selected : ProcessSelection.None
        : Kernel.Pids.Add(pid) ? ProcessSelection.Tentative : ProcessSelection.Selected;
}

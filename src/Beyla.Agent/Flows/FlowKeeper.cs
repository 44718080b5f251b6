using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// The half of network observability that needs capabilities: loads the flow programs, keeps them on the interfaces that are wanted, and
/// hands over what they counted. It raises what it needs around a call by <see cref="FlowHost.Raise"/>, and looks into nothing that
/// the programs counted. It has no thread: its owner waits for <see cref="FileDescriptor"/> and calls <see cref="Follow"/>. One thread, but
/// for what <see cref="IFlowKernel"/> says.
/// </summary>
public sealed class FlowKeeper : IFlowKernel
{
    /// <summary>Milliseconds until what could not be followed is tried again.</summary>
    private const int FailurePause = 5000;

    private readonly NetworkConfiguration options;
    private readonly FlowHost host;
    private readonly NetworkLinks network = new();
    private readonly FlowPrograms programs;
    private readonly BpfMap overflow;
    private readonly IFlowWay way;
    private readonly ObservedInterfaces interfaces;
    private readonly SocketOwners? owners;
    private readonly bool mapsAreOpen;
    private readonly bool polls;
    private readonly List<int> removed = [];
    private HashSet<int> bared = [];
    private bool changed;
    private bool follows;
    private bool detached;
    private long lookAt;

    /// <summary>Loads the programs; nothing is attached yet.</summary>
    /// <param name="options">The network section of the configuration.</param>
    /// <param name="host">The agent around it.</param>
    /// <exception cref="KernelException">The kernel refused the programs.</exception>
    public FlowKeeper(NetworkConfiguration options, FlowHost host)
    {
        this.options = options;
        this.host = host;
        polls = options.ListenInterfaces == InterfaceListener.Poll;
        try
        {
            using (host.Raise())
            {
                programs = FlowPrograms.Load(options);
            }

            overflow = programs.Overflow;
            mapsAreOpen = MapsAreOpen();
            owners = SocketOwners.TryOpen(options, host, out var refusal);
            ProcessRefusal = refusal;
            way = options.Source == FlowSource.SocketFilter
                ? new SocketFilterWay(programs, options.Direction)
                : OpenTrafficControl();
            interfaces = new ObservedInterfaces(way, new InterfaceFilter(options), network, host);
        }
        catch
        {
            owners?.Dispose();
            programs?.Dispose();
            network.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool KnowsProcesses => owners is not null;

    /// <inheritdoc/>
    public int ProcessRefusal { get; }

    /// <inheritdoc/>
    public string Source => way.Name;

    /// <inheritdoc/>
    public int InterfaceCount => interfaces.Count;

    /// <inheritdoc/>
    public int OverflowDescriptor => overflow.FileDescriptor;

    /// <inheritdoc/>
    public uint OverflowSize => overflow.MaxEntries;

    /// <inheritdoc/>
    public FlowExchange Exchange => programs.Exchange;

    /// <summary>
    /// What becomes readable when <see cref="Follow"/> has something to do; -1 while only time counts (poll(2) passes that over), which may
    /// change with <see cref="Start"/> and <see cref="Detach"/>.
    /// </summary>
    public int FileDescriptor => follows && !polls ? network.FileDescriptor : -1;

    /// <inheritdoc/>
    public void Start()
    {
        ObjectDisposedException.ThrowIf(detached, this);
        try
        {
            interfaces.Reconcile([], strict: true);
        }
        catch
        {
            interfaces.Dispose();
            throw;
        }

        var links = network.List();
        foreach (var pattern in options.Interfaces)
        {
            if (!links.Exists(link => pattern.IsMatch(link.Name)))
            {
                host.Warn($"flows: no interface matches {pattern.Text} now; it is observed as soon as it comes");
            }
        }

        if (interfaces.Count == 0)
        {
            host.Warn("flows: no interface is observed; see network.interfaces and network.exclude_interfaces");
        }

        lookAt = Environment.TickCount64 + Period;
        follows = true;
    }

    /// <summary>
    /// Follows what happened to the interfaces: attaches to those that came, and again where others took the programs away. Warns of what
    /// the kernel refuses. Nothing happens before <see cref="Start"/> and after <see cref="Detach"/>.
    /// </summary>
    /// <returns>Milliseconds until it wants to be called again even if nothing becomes readable; -1 for never.</returns>
    public int Follow()
    {
        if (!follows)
        {
            return -1;
        }

        try
        {
            return FollowInterfaces();
        }
        catch (KernelException exception)
        {
            host.Warn($"flows: {exception.Message}");
            return FailurePause;
        }
    }

    /// <inheritdoc/>
    public void Detach()
    {
        follows = false;
        detached = true;
        interfaces.Dispose();
    }

    /// <inheritdoc/>
    public void Swap()
    {
        using var raised = RaiseForMaps();
        programs.Swap();
    }

    /// <inheritdoc/>
    public bool ReadBatch(bool remove, bool first, out int count)
    {
        using var raised = RaiseForMaps();
        return programs.Read(remove, first, out count);
    }

    /// <inheritdoc/>
    public void FindOwners(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, FlowExchange.Capacity);
        if (owners is null)
        {
            Exchange.Found[..count].Clear();
        }
        else
        {
            using var raised = RaiseForMaps();
            OwnerLookup.Find(owners, Exchange, count);
        }
    }

    /// <inheritdoc/>
    public void WalkSockets()
    {
        if (owners is not null)
        {
            using var raised = RaiseForMaps();
            owners.Refresh();
        }
    }

    /// <inheritdoc/>
    public FlowCounters Count()
    {
        using var raised = RaiseForMaps();
        return programs.Count();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Detach();
        way.Dispose();
        owners?.Dispose();
        programs.Dispose();
        network.Dispose();
    }

    private long Period => polls ? (long)options.ListenPollPeriod.TotalMilliseconds : long.MaxValue / 2;

    private int FollowInterfaces()
    {
        var now = Environment.TickCount64;
        var look = lookAt <= now;
        if (polls && !look)
        {
            return Until(lookAt);
        }

        lookAt = look ? now + Period : lookAt;
        // Who polls reads the notifications too: a number may be in use again. What could not be followed now is the next time.
        changed |= network.ReadChanges(removed, bared, out var complete) | look;
        if (changed)
        {
            interfaces.Reconcile(removed);
            removed.Clear();
            changed = false;
        }

        if (look || !complete)
        {
            bared.UnionWith(interfaces.All);
        }

        if (bared.Count > 0)
        {
            bared = [.. interfaces.Repair(bared)];
        }

        return polls ? Until(lookAt) : bared.Count > 0 ? (int)ObservedInterfaces.RepairPause : -1;
    }

    private static int Until(long time) => (int)Math.Clamp(time - Environment.TickCount64, 0, int.MaxValue);

    // Before Linux 5.19 each bpf(2) asks for CAP_BPF where kernel.unprivileged_bpf_disabled is set, also one on a map that is open.
    private bool MapsAreOpen()
    {
        try
        {
            _ = programs.Count();
            return true;
        }
        catch (KernelException refusal) when (refusal.Errno == Errno.EPERM)
        {
            return false;
        }
    }

    private TcWay OpenTrafficControl()
    {
        using var raised = host.Raise();
        return new TcWay(programs, options, host.Debug);
    }

    private Privilege.Raised RaiseForMaps() => mapsAreOpen ? default : host.Raise();
}

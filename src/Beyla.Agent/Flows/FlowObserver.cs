using System.Globalization;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// Network observability: loads the flow programs, keeps them on the interfaces that are wanted, and hands every flow to the
/// sink at least once per active timeout, earlier when the kernel's map fills. Runs a thread of its own from
/// <see cref="Start"/> to <see cref="Stop"/>.
/// </summary>
public sealed class FlowObserver : IDisposable, ICounted
{
    private readonly NetworkConfiguration options;
    private readonly FlowHost host;
    private readonly FlowReporter reporter;
    private readonly Signal stop = new();
    private readonly Epoll epoll = new();
    private readonly NetworkLinks network = new();
    private readonly FlowPrograms programs;
    private readonly IFlowWay way;
    private readonly ObservedInterfaces interfaces;
    private readonly RingBuffer ring;
    private readonly OverflowTable overflow;
    private readonly LocalAddresses addresses = new();
    private readonly SocketOwners? owners;
    private readonly Thread thread;
    private readonly List<int> removed = [];
    private HashSet<int> bared = [];
    private bool changed;
    private readonly bool mapsAreOpen;
    private ulong lostBefore;
    private bool started;
    private bool stopped;

    /// <summary>Loads the programs; nothing is attached yet.</summary>
    /// <param name="options">The network section of the configuration.</param>
    /// <param name="sink">Takes the flows, on the flow thread.</param>
    /// <param name="host">The agent around it.</param>
    /// <exception cref="KernelException">The kernel refused the programs.</exception>
    public FlowObserver(NetworkConfiguration options, IFlowSink sink, FlowHost host)
    {
        this.options = options;
        this.host = host;
        programs = Privileged(() => FlowPrograms.Load(options));
        try
        {
            mapsAreOpen = MapsAreOpen();
            owners = SocketOwners.TryOpen(options, host, out var refusal);
            ProcessRefusal = refusal;
            way = options.Source == FlowSource.SocketFilter
                ? new SocketFilterWay(programs, options.Direction)
                : Privileged(() => new TcWay(programs, options, host.Debug));
            interfaces = new ObservedInterfaces(way, new InterfaceFilter(options), network, host);
            reporter = new FlowReporter(options, sink, host, owners, interfaces, addresses);
            ReadAddresses();
            overflow = new OverflowTable(reporter.ReportAtOnce);
            ring = new RingBuffer(programs.Overflow);
        }
        catch
        {
            owners?.Dispose();
            programs.Dispose();
            network.Dispose();
            epoll.Dispose();
            stop.Dispose();
            throw;
        }

        thread = new Thread(Run) { IsBackground = true, Name = "flows" };
    }

    /// <summary>Whether flows can name their process.</summary>
    public bool KnowsProcesses => owners is not null;

    /// <summary>The errno with which the kernel refused what <see cref="KnowsProcesses"/> needs; 0 when it did not.</summary>
    public int ProcessRefusal { get; }

    /// <summary>The way in that was taken: <c>socket filter</c>, <c>tcx</c> or <c>tc</c>.</summary>
    public string Source => way.Name;

    /// <summary>Interfaces that are observed now.</summary>
    public int InterfaceCount => interfaces.Count;

    /// <summary>Attaches to the interfaces that are there and begins to report.</summary>
    /// <exception cref="KernelException">An interface cannot be observed; nothing stays attached.</exception>
    public void Start()
    {
        ObjectDisposedException.ThrowIf(stopped, this);
        epoll.Watch(stop.FileDescriptor);
        epoll.Watch(ring.FileDescriptor);
        if (options.ListenInterfaces == InterfaceListener.Watch)
        {
            epoll.Watch(network.FileDescriptor);
        }

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

        started = true;
        thread.Start();
    }

    /// <summary>Detaches, reports what is left, ends the thread.</summary>
    public void Stop()
    {
        if (stopped)
        {
            return;
        }

        stopped = true;
        stop.Set();
        if (started)
        {
            thread.Join();
        }
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count() => FlowAccounts.Of(programs.Count(), reporter.Totals);

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        interfaces.Dispose();
        way.Dispose();
        reporter.Dispose();
        owners?.Dispose();
        ring.Dispose();
        programs.Dispose();
        network.Dispose();
        epoll.Dispose();
        stop.Dispose();
    }

    private void Run()
    {
        var timeout = (long)options.CacheActiveTimeout.TotalMilliseconds;
        var period = options.ListenInterfaces == InterfaceListener.Poll
            ? (long)options.ListenPollPeriod.TotalMilliseconds
            : long.MaxValue / 2;
        var drainAt = Environment.TickCount64 + timeout;
        var lookAt = Environment.TickCount64 + period;
        while (!stop.IsSet)
        {
            var now = Environment.TickCount64;
            var due = bared.Count > 0 ? Math.Min(drainAt, now + ObservedInterfaces.RepairPause) : drainAt;
            _ = epoll.Wait((int)Math.Clamp(Math.Min(due, lookAt) - now, 0, int.MaxValue));
            var look = lookAt <= Environment.TickCount64;
            lookAt = look ? Environment.TickCount64 + period : lookAt;
            Guard(() => FollowInterfaces(look));
            if (ring.Backlog > 0 || drainAt <= Environment.TickCount64)
            {
                drainAt = Environment.TickCount64 + timeout;
                Guard(DrainMaps);
            }
        }

        Guard(Finish);
    }

    private void FollowInterfaces(bool look)
    {
        if (options.ListenInterfaces == InterfaceListener.Poll && !look)
        {
            return;
        }

        // Who polls reads the notifications too: a number may be in use again. What could not be followed now is the next time.
        changed |= network.ReadChanges(removed, bared, out var complete) | look;
        if (changed)
        {
            interfaces.Reconcile(removed);
            removed.Clear();
            ReadAddresses();
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
    }

    private void ReadAddresses()
    {
        var list = network.Addresses();
        addresses.Update(list);
        reporter.AgentAddress = AgentAddress.Find(options, network.List(), list);
    }

    private void DrainMaps()
    {
        if (mapsAreOpen)
        {
            Drain();
        }
        else
        {
            host.Privileged(Drain);
        }
    }

    private void Drain()
    {
        owners?.Refresh(reporter.WantsOwners);
        _ = ring.Drain(overflow, ring.End);
        overflow.Show(reporter.Prepare);
        _ = programs.Drain(reporter.Prepare, (in FlowKey key, in FlowValue value) =>
        {
            var sum = value;
            overflow.MergeInto(in key, ref sum);
            reporter.Report(in key, in sum);
        });
        overflow.Take(reporter.Report);
        reporter.EndOfBatch(overflow);
        WarnOfLoss();
    }

    /// <summary>After the last program ended: both maps and the ring.</summary>
    private void Finish()
    {
        interfaces.Dispose();
        DrainMaps();
        DrainMaps();
    }

    private void WarnOfLoss()
    {
        var lost = programs.Count().LostPackets;
        if (lost > lostBefore)
        {
            host.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"flows: {lost - lostBefore} packets were lost for want of room; "
                + $"raise network.cache_max_flows (now {options.CacheMaxFlows})"));
        }

        lostBefore = lost;
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (KernelException exception)
        {
            host.Warn($"flows: {exception.Message}");
        }
    }

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

    private T Privileged<T>(Func<T> action)
    {
        T? result = default;
        host.Privileged(() => result = action());
        return result!;
    }
}

using System.Globalization;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// Network observability: hands every flow that the kernel counted to the sink at least once per active timeout, earlier when the kernel's
/// map fills. Needs no capability and calls no bpf(2): what does is behind <see cref="IFlowKernel"/>. Runs a thread of its own from
/// <see cref="Start"/> to <see cref="Stop"/>.
/// </summary>
public sealed class FlowObserver : IDisposable, ICounted
{
    private readonly NetworkConfiguration options;
    private readonly FlowHost host;
    private readonly IFlowKernel kernel;
    private readonly FlowReporter reporter;
    private readonly Signal stop = new();
    private readonly Epoll epoll = new();
    private readonly HostNetwork network;
    private readonly RingBuffer ring;
    private readonly OverflowTable overflow;
    private readonly Thread thread;
    private ulong lostBefore;
    private bool started;
    private bool stopped;

    /// <summary>Nothing is attached yet.</summary>
    /// <param name="options">The network section of the configuration.</param>
    /// <param name="sink">Takes the flows, on the flow thread.</param>
    /// <param name="host">The agent around it.</param>
    /// <param name="kernel">What holds the capabilities. Taken over, also where this throws.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public FlowObserver(NetworkConfiguration options, IFlowSink sink, FlowHost host, IFlowKernel kernel)
    {
        this.options = options;
        this.host = host;
        this.kernel = kernel;
        try
        {
            network = new HostNetwork(options);
            reporter = new FlowReporter(options, sink, host, kernel, network);
            overflow = new OverflowTable(reporter.PrepareAndAdd);
            ring = new RingBuffer(kernel.OverflowDescriptor, kernel.OverflowSize);
        }
        catch
        {
            reporter?.Dispose();
            kernel.Dispose();
            network?.Dispose();
            epoll.Dispose();
            stop.Dispose();
            throw;
        }

        thread = new Thread(Run) { IsBackground = true, Name = "flows" };
    }

    /// <inheritdoc cref="IFlowKernel.KnowsProcesses"/>
    public bool KnowsProcesses => kernel.KnowsProcesses;

    /// <inheritdoc cref="IFlowKernel.ProcessRefusal"/>
    public int ProcessRefusal => kernel.ProcessRefusal;

    /// <inheritdoc cref="IFlowKernel.Source"/>
    public string Source => kernel.Source;

    /// <inheritdoc cref="IFlowKernel.InterfaceCount"/>
    public int InterfaceCount => kernel.InterfaceCount;

    /// <summary>Attaches to the interfaces that are there and begins to report.</summary>
    /// <exception cref="KernelException">An interface cannot be observed; nothing stays attached.</exception>
    public void Start()
    {
        ObjectDisposedException.ThrowIf(stopped, this);
        epoll.Watch(stop.FileDescriptor);
        epoll.Watch(ring.FileDescriptor);
        epoll.Watch(network.FileDescriptor);
        kernel.Start();
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
    public IEnumerable<PlaceCounters> Count() => FlowAccounts.Of(kernel.Count(), reporter.Totals);

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        reporter.Dispose();
        ring.Dispose();
        kernel.Dispose();
        network.Dispose();
        epoll.Dispose();
        stop.Dispose();
    }

    private void Run()
    {
        var timeout = (long)options.CacheActiveTimeout.TotalMilliseconds;
        var drainAt = Environment.TickCount64 + timeout;
        while (!stop.IsSet)
        {
            Guard(network.Follow);
            if (ring.Backlog > 0 || drainAt <= Environment.TickCount64)
            {
                drainAt = Environment.TickCount64 + timeout;
                Guard(Drain);
            }

            _ = epoll.Wait((int)Math.Clamp(drainAt - Environment.TickCount64, 0, int.MaxValue));
        }

        Guard(Finish);
    }

    private void Drain()
    {
        if (reporter.WantsOwners)
        {
            kernel.WalkSockets();
        }

        _ = ring.Drain(overflow, ring.End);
        reporter.ReportAdded();
        overflow.Show(reporter.Prepare);
        kernel.Swap();
        // Now, as an interface that came just before the swap may have flows in the map.
        Guard(network.Follow);
        Walk(remove: false);
        Walk(remove: true);
        overflow.Take(reporter.Add);
        reporter.ReportAdded();
        reporter.EndOfBatch(overflow);
        WarnOfLoss();
    }

    /// <summary>Goes through the map that does not count now: once to prepare each flow, then to take it out and report it.</summary>
    private void Walk(bool remove)
    {
        bool first = true, more = true;
        while (more)
        {
            more = kernel.ReadBatch(remove, first, out var count);
            first = false;
            var keys = kernel.Exchange.Keys[..count];
            var values = kernel.Exchange.Values[..count];
            for (var i = 0; i < count; i++)
            {
                if (remove)
                {
                    overflow.MergeInto(in keys[i], ref values[i]);
                }
                else
                {
                    reporter.Prepare(in keys[i], in values[i]);
                }
            }

            if (remove)
            {
                reporter.Report(count);
            }
        }
    }

    /// <summary>After the last program ended: both maps and the ring.</summary>
    private void Finish()
    {
        kernel.Detach();
        Drain();
        Drain();
    }

    private void WarnOfLoss()
    {
        var lost = kernel.Count().LostPackets;
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
}

using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Statistics;

namespace Beyla.Cli;

/// <summary>What the desks of the keeper ask: the programs of its configuration.</summary>
/// <param name="configuration">Fixed at the start.</param>
/// <param name="file">The configuration file as it was read, in memory; -1 where there is none.</param>
/// <param name="named">The contents of <see cref="AgentConfiguration.NamedFiles"/>, in memory.</param>
/// <param name="control">The worker's end of the socket for notices.</param>
internal sealed class KeeperHost(AgentConfiguration configuration, int file, IReadOnlyList<MemoryFile> named, int control)
    : IKeeperHost, IDisposable
{
    /// <summary>Threads of desks at a time: the agent's readers of processes, and those that do not come back.</summary>
    private const int MaximumDesks = 16;

    /// <summary>Probes in Go programs at a time.</summary>
    private const int MaximumProbes = 1024;

    private readonly ManualResetEventSlim loaded = new();
    private readonly Lock gate = new();
    private readonly Dictionary<long, IDisposable> probes = [];
    private ApplicationPrograms? application;
    private FlowDesk? flows;
    private TcpStatisticPrograms? statistics;
    private long lastProbe;
    private int desks;

    /// <inheritdoc/>
    public bool ReadsProcesses => configuration.ApplicationEnabled || configuration.Network.Enabled;

    /// <inheritdoc/>
    public bool MeasuresProcesses => configuration.ApplicationEnabled && configuration.Metrics.MeasuresProcesses;

    /// <summary>What was loaded is to be had from now on.</summary>
    public void Provide(ApplicationPrograms? programs, FlowKeeper? network, TcpStatisticPrograms? connections)
    {
        application = programs;
        statistics = connections;
        flows = network is null ? null : new FlowDesk(this, network);
        loaded.Set();
    }

    /// <inheritdoc/>
    int IKeeperHost.Configuration(Span<int> descriptors)
    {
        (descriptors[0], descriptors[1]) = (control, file);
        return file < 0 ? 1 : 2;
    }

    /// <inheritdoc/>
    public int NamedFile(int number) => (uint)number < (uint)named.Count
        ? named[number].FileDescriptor : throw new KernelException("hand over a file that the configuration does not name", Errno.ENOENT);

    /// <inheritdoc/>
    public ApplicationFacts Application(Span<int> descriptors)
    {
        loaded.Wait();
        var (watcher, source) = (Programs.Watcher, Programs.Source);
        var maps = source.Descriptors;
        ReadOnlySpan<int> given =
        [
            watcher.Selection.Map.FileDescriptor, watcher.Ring.FileDescriptor, source.Ring.FileDescriptor,
            maps.Verdicts, maps.Passed, maps.ThreadRules,
        ];
        given.CopyTo(descriptors);
        return new ApplicationFacts
        {
            Source = (uint)source.Kind, ProcessRing = watcher.Ring.MaxEntries, SocketRing = source.Ring.MaxEntries,
            Parts = (Programs.Names is null ? 0 : ApplicationParts.Names)
                | (Programs.Passing is null ? 0 : ApplicationParts.Passing)
                | (Programs.WritesGoHeaders ? ApplicationParts.GoHeaders : 0),
        };
    }

    /// <inheritdoc/>
    public FlowFacts OpenFlows(Span<int> descriptors)
    {
        loaded.Wait();
        if (flows is null)
        {
            throw new KernelException("use programs of network observability, which are not loaded", Errno.ENODEV);
        }

        (descriptors[0], descriptors[1], descriptors[2]) = (flows.Other.FileDescriptor, flows.Ring, flows.Exchange);
        return flows.Facts;
    }

    /// <inheritdoc/>
    public int OpenStatistics(out uint size)
    {
        loaded.Wait();
        var ring = Statistics.Ring;
        size = ring.MaxEntries;
        return ring.FileDescriptor;
    }

    /// <inheritdoc/>
    public long WalkStatistics(bool isLast)
    {
        using var raised = Privilege.Raise(Capability.Bpf, Capability.Perfmon);
        return Statistics.Walk(isLast);
    }

    /// <inheritdoc/>
    public void DetachStatistics() => Statistics.Detach();

    /// <inheritdoc/>
    public MessageSocket OpenDesk()
    {
        if (Interlocked.Increment(ref desks) > MaximumDesks)
        {
            Interlocked.Decrement(ref desks);
            throw new KernelException($"serve at more than {MaximumDesks} desks", Errno.EMFILE);
        }

        try
        {
            var (own, other) = MessageSocket.CreatePair();
            new Thread(() => Serve(own), DeskStack) { IsBackground = true, Name = "desk" }.Start();
            return other;
        }
        catch
        {
            Interlocked.Decrement(ref desks);
            throw;
        }
    }

    /// <summary>Bytes of the stack of a thread that serves.</summary>
    internal const int DeskStack = 256 * 1024;

    /// <inheritdoc/>
    public void Detach() => Programs.Detach();

    /// <inheritdoc/>
    public int Count(CounterGroup group, Span<PlaceCounters> places)
    {
        // Kernels before 5.19 let nobody without it read a map.
        using var raised = Privilege.Raise(Capability.Bpf);
        switch (group)
        {
            case CounterGroup.Sockets:
                return Programs.Source.Count(places);
            case CounterGroup.Statistics:
                return Statistics.Count(places);
        }

        var names = Programs.Names?.Count(places) ?? 0;
        return names + Programs.Watcher.Count(places[names..]);
    }

    /// <inheritdoc/>
    public string Describe() => Privilege.Describe();

    /// <inheritdoc/>
    public int StartedWith(int pid, Span<byte> target)
    {
        using var raised = Privilege.Raise(Capability.Bpf);
        return Programs.Names?.Read(pid, target) ?? -Errno.ENODATA;
    }

    /// <inheritdoc/>
    public int ScanListeners(int pid)
    {
        using var raised = Privilege.Raise(Capability.Bpf, Capability.Perfmon);
        return Programs.Watcher.Listeners.Open(pid);
    }

    /// <inheritdoc/>
    public long AttachGo(int executable, long roundTrip, long writeBody)
    {
        lock (gate)
        {
            if (probes.Count >= MaximumProbes)
            {
                throw new KernelException($"set probes in more than {MaximumProbes} programs", Errno.ENOSPC);
            }
        }

        var links = Programs.Go.Attach(null, 0, executable, roundTrip, writeBody);
        lock (gate)
        {
            probes.Add(++lastProbe, links);
            return lastProbe;
        }
    }

    /// <inheritdoc/>
    public void DetachGo(long number)
    {
        IDisposable? links;
        lock (gate)
        {
            probes.Remove(number, out links);
        }

        links?.Dispose();
    }

    /// <inheritdoc/>
    public void BeginGo(int pid, in GoOffsets offsets) => Programs.Go.Tell(pid, in offsets);

    /// <inheritdoc/>
    public bool IncludeGroup(ReadOnlySpan<byte> path) => Programs.Passing?.Include(path) ?? false;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var links in probes.Values)
            {
                links.Dispose();
            }

            probes.Clear();
        }

        statistics?.Dispose();
        flows?.Dispose();
        application?.Dispose();
        loaded.Dispose();
    }

    private ApplicationPrograms Programs =>
        application ?? throw new KernelException("use programs of application observability, which are not loaded", Errno.ENODEV);

    private TcpStatisticPrograms Statistics =>
        statistics ?? throw new KernelException("use programs of TCP statistics, which are not loaded", Errno.ENODEV);

    private void Serve(MessageSocket socket)
    {
        using (socket)
        {
            using var desk = new KeeperDesk(this, new Permissions.ForProc());
            desk.Serve(socket);
        }

        Interlocked.Decrement(ref desks);
    }
}

using System.Globalization;
using Beyla.Agent.Configuration;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Flows;

/// <summary>What the reporter did with the flows that reached it.</summary>
internal struct FlowTotals
{
    /// <summary>Packets of all flows, those that were left out included.</summary>
    public long Packets;

    /// <summary>Bytes of all flows, those that were left out included.</summary>
    public long Bytes;

    /// <summary>Flows that came from the kernel, with packets of the ring that found no room in the map.</summary>
    public long Produced;

    /// <summary>Packets of the ring that became part of another flow.</summary>
    public long Aggregated;

    /// <summary>Flows that were left out, because another interface reports the same packets.</summary>
    public long Filtered;

    /// <summary>Flows that were handed to the sink.</summary>
    public long Emitted;

    /// <summary>Flows of the ring that wait for the next batch.</summary>
    public long Held;

    /// <summary>Flows with local ports whose process was looked for, and found.</summary>
    public long OwnersWanted;

    /// <summary>Those of <see cref="OwnersWanted"/> whose process was found.</summary>
    public long OwnersFound;
}

/// <summary>
/// Turns what the kernel counted into flows that can be read: leaves out what another interface reports, names, attributes. One thread.
/// </summary>
internal sealed class FlowReporter : IDisposable
{
    private const ushort WellKnown = 1024;

    private readonly NetworkConfiguration options;
    private readonly IFlowSink sink;
    private readonly FlowHost host;
    private readonly IFlowKernel kernel;
    private readonly HostNetwork network;
    private readonly FlowExchange exchange;
    private readonly FlowDirection[] sides = new FlowDirection[FlowExchange.Capacity];
    private readonly ConversationTable conversations;
    private readonly NetworkTable networks;
    private readonly ReverseNames? names;
    private readonly ServiceFinder? finder;
    private readonly WallClock clock = new();
    private readonly (ushort Low, ushort High) ephemeral = EphemeralPorts();
    private readonly Dictionary<int, string> services = [];
    private readonly Lock publishing = new();
    private FlowTotals totals;
    private FlowTotals published;
    private bool wantsOwners;
    private int queued;

    /// <param name="options">What is to be told.</param>
    /// <param name="sink">Takes the flows.</param>
    /// <param name="host">The agent around it.</param>
    /// <param name="kernel">Hands over batches and tells owners.</param>
    /// <param name="network">The host's interfaces and addresses.</param>
    internal FlowReporter(NetworkConfiguration options, IFlowSink sink, FlowHost host, IFlowKernel kernel, HostNetwork network)
    {
        this.options = options;
        this.sink = sink;
        this.host = host;
        this.kernel = kernel;
        this.network = network;
        exchange = kernel.Exchange;
        conversations = new ConversationTable(
            Math.Clamp(options.CacheMaxFlows / 2, 32768, 1 << 20), options.DeduperExpiry);
        networks = new NetworkTable(options.Cidrs);
        names = options.ReverseDns == ReverseDnsType.Local
            ? new ReverseNames(options.ReverseDnsCacheLength, options.ReverseDnsCacheExpiry)
            : null;
        finder = kernel.KnowsProcesses && host.MakeReader is { } makeReader
            ? new ServiceFinder(() => LookBy(makeReader()), host.Warn)
            : null;
    }

    /// <summary>Whether a flow since the last batch had no process, or only the listener's.</summary>
    internal bool WantsOwners { get; private set; }

    /// <summary>As of the last batch. Any thread.</summary>
    internal FlowTotals Totals
    {
        get
        {
            lock (publishing)
            {
                return published;
            }
        }
    }

    /// <summary>Sees each flow of a batch before the first one is reported.</summary>
    internal void Prepare(in FlowKey key, in FlowValue value) => conversations.Prepare(in key, in value);

    /// <summary>Takes a flow that was prepared to the batch in the exchange; reports that when it is full.</summary>
    internal void Add(in FlowKey key, in FlowValue value)
    {
        exchange.Keys[queued] = key;
        exchange.Values[queued] = value;
        if (++queued == FlowExchange.Capacity)
        {
            ReportAdded();
        }
    }

    /// <summary>Prepares a flow and takes it to the batch.</summary>
    internal void PrepareAndAdd(in FlowKey key, in FlowValue value)
    {
        Prepare(in key, in value);
        Add(in key, in value);
    }

    /// <summary>Reports what was added; the exchange can be used for others then.</summary>
    internal void ReportAdded()
    {
        var count = queued;
        queued = 0;
        Report(count);
    }

    /// <summary>Reports the first flows of the exchange, all prepared: names them and hands them to the sink, or leaves them out.</summary>
    internal void Report(int count)
    {
        var kept = Select(count);
        FindOwners(kept);
        for (var i = 0; i < kept; i++)
        {
            Hand(i);
        }
    }

    /// <summary>Moves the flows that this interface has to report to the front.</summary>
    private int Select(int count)
    {
        Span<FlowKey> keys = exchange.Keys;
        Span<FlowValue> values = exchange.Values;
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            totals.Packets += (long)values[i].Packets;
            totals.Bytes += (long)values[i].Bytes;
            totals.Produced++;
            var side = conversations.Look(in keys[i], in values[i], out var isFirst);
            if (!isFirst && options.Deduper == FlowDeduper.FirstCome)
            {
                totals.Filtered++;
                continue;
            }

            if (kept != i)
            {
                (keys[kept], values[kept]) = (keys[i], values[i]);
            }

            sides[kept++] = side;
        }

        return kept;
    }

    /// <summary>Names a flow of the exchange and hands it to the sink.</summary>
    private void Hand(int index)
    {
        ref readonly var key = ref exchange.Keys[index];
        ref readonly var value = ref exchange.Values[index];
        var found = TryTakeOwner(index, out var owner);
        totals.Emitted++;
        sink.OnFlow(new FlowData
        {
            Key = key,
            Value = value,
            AgentAddress = network.AgentAddress,
            Interface = network.NameOf(key.Interface),
            Side = sides[index] == FlowDirection.Unknown ? SideByPorts(in key) : sides[index],
            First = clock.ToUnixMicroseconds((long)value.First, (long)value.Last),
            Last = clock.ToUnixMicroseconds((long)value.Last, (long)value.Last),
            SourceName = names?.Find(in key.Source),
            DestinationName = names?.Find(in key.Destination),
            SourceNetwork = networks.Find(in key.Source),
            DestinationNetwork = networks.Find(in key.Destination),
            Pid = (int)owner.Pid,
            ProcessName = owner.NameBytes,
            ServiceName = found ? ServiceOf(in owner, (long)value.Last) : "",
        });
    }

    /// <summary>Ends a batch: flushes the sink, publishes the totals, and forgets the services that were asked for.</summary>
    internal void EndOfBatch(OverflowTable overflow)
    {
        sink.Flush();
        totals.Held = overflow.Count;
        lock (publishing)
        {
            published = totals;
            published.Produced += overflow.Merged + overflow.Count;
            published.Aggregated = overflow.Merged;
        }

        WantsOwners = wantsOwners;
        wantsOwners = false;
        services.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        names?.Dispose();
        finder?.Dispose();
    }

    /// <summary>
    /// The service as the tracer knows it, else as the process tells it, else the process's own name; asked once per process and batch.
    /// </summary>
    private string ServiceOf(in SocketOwner owner, long seen)
    {
        var pid = (int)owner.Pid;
        if (!services.TryGetValue(pid, out var service))
        {
            service = host.ServiceOf(pid) is { Length: > 0 } traced
                ? traced
                : finder?.Find(pid, seen) ?? System.Text.Encoding.UTF8.GetString(owner.NameBytes);
            services[pid] = service;
        }

        return service;
    }

    /// <summary>Asks for the owners of a whole batch at once: each question may go to another process.</summary>
    private void FindOwners(int count)
    {
        if (!kernel.KnowsProcesses || count == 0)
        {
            return;
        }

        for (var i = 0; i < count; i++)
        {
            ref readonly var key = ref exchange.Keys[i];
            var isOurs = key.Direction == InterfaceDirection.Egress ? network.IsOurs(in key.Source) : network.IsOurs(in key.Destination);
            exchange.Ours[i] = (byte)(isOurs ? 1 : 0);
        }

        kernel.FindOwners(count);
    }

    private bool TryTakeOwner(int index, out SocketOwner owner)
    {
        var found = kernel.KnowsProcesses && exchange.Found[index] != 0;
        owner = found ? exchange.Owners[index] : default;
        ref readonly var key = ref exchange.Keys[index];
        if (kernel.KnowsProcesses && exchange.Ours[index] != 0 && key.SourcePort != 0 && key.DestinationPort != 0)
        {
            totals.OwnersWanted++;
            totals.OwnersFound += found ? 1 : 0;
            wantsOwners |= !found || owner.Exact == 0;
        }

        return found;
    }

    /// <summary>Who called, as far as ports tell: services do not listen where clients are given their ports.</summary>
    private FlowDirection SideByPorts(in FlowKey key)
    {
        if (key.SourcePort == 0 || key.DestinationPort == 0)
        {
            return FlowDirection.Unknown;
        }

        var source = IsClients(key.SourcePort);
        if (source != IsClients(key.DestinationPort))
        {
            return source ? FlowDirection.Request : FlowDirection.Response;
        }

        if ((key.SourcePort < WellKnown) != (key.DestinationPort < WellKnown))
        {
            return key.DestinationPort < WellKnown ? FlowDirection.Request : FlowDirection.Response;
        }

        return !options.GuessPorts || key.SourcePort == key.DestinationPort
            ? FlowDirection.Unknown
            : key.SourcePort > key.DestinationPort ? FlowDirection.Request : FlowDirection.Response;
    }

    private bool IsClients(ushort port) => port >= ephemeral.Low && port <= ephemeral.High;

    private static Func<int, ServiceAnswer> LookBy(ProcReader proc) => pid => ServiceLook.Look(proc, pid);

    private static (ushort Low, ushort High) EphemeralPorts()
    {
        try
        {
            var fields = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range")
                .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return (ushort.Parse(fields[0], CultureInfo.InvariantCulture), ushort.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            return (32768, 60999);
        }
    }
}

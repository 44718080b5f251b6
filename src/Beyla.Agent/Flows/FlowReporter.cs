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
    private readonly SocketOwners? owners;
    private readonly ObservedInterfaces interfaces;
    private readonly LocalAddresses addresses;
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

    internal FlowReporter(
        NetworkConfiguration options, IFlowSink sink, FlowHost host, SocketOwners? owners, ObservedInterfaces interfaces,
        LocalAddresses addresses)
    {
        this.options = options;
        this.sink = sink;
        this.host = host;
        this.owners = owners;
        this.interfaces = interfaces;
        this.addresses = addresses;
        conversations = new ConversationTable(
            Math.Clamp(options.CacheMaxFlows / 2, 32768, 1 << 20), options.DeduperExpiry);
        networks = new NetworkTable(options.Cidrs);
        names = options.ReverseDns == ReverseDnsType.Local
            ? new ReverseNames(options.ReverseDnsCacheLength, options.ReverseDnsCacheExpiry)
            : null;
        finder = owners is not null && host.MakeReader is { } makeReader ? new ServiceFinder(() => LookBy(makeReader()), host.Warn) : null;
    }

    /// <summary>The agent's own address, as flows show it.</summary>
    internal Address AgentAddress { get; set; }

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

    /// <summary>Reports a flow that was not prepared.</summary>
    internal void ReportAtOnce(in FlowKey key, in FlowValue value)
    {
        Prepare(in key, in value);
        Report(in key, in value);
    }

    /// <summary>Reports a flow that was prepared: names it and hands it to the sink, or leaves it out.</summary>
    internal void Report(in FlowKey key, in FlowValue value)
    {
        totals.Packets += (long)value.Packets;
        totals.Bytes += (long)value.Bytes;
        totals.Produced++;
        var side = conversations.Look(in key, in value, out var isFirst);
        if (!isFirst && options.Deduper == FlowDeduper.FirstCome)
        {
            totals.Filtered++;
            return;
        }

        SocketOwner owner = default;
        var found = owners is not null && FindOwner(in key, out owner);
        totals.Emitted++;
        sink.OnFlow(new FlowData
        {
            Key = key,
            Value = value,
            AgentAddress = AgentAddress,
            Interface = interfaces.NameOf(key.Interface),
            Side = side == FlowDirection.Unknown ? SideByPorts(in key) : side,
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

    private bool FindOwner(in FlowKey key, out SocketOwner owner)
    {
        var isOurs = addresses.Contains(key.Direction == InterfaceDirection.Egress ? key.Source : key.Destination);
        var found = owners!.TryFind(in key, isOurs, out owner);
        if (isOurs && key.SourcePort != 0 && key.DestinationPort != 0)
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

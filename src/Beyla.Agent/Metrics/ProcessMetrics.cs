using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Metrics;

/// <summary>
/// What traced processes use of their host, measured by the clock (semantic conventions, "Process metrics"): of each that has had a span.
/// Processes that are one service instance are added up. Called on the one thread of exports.
/// </summary>
internal sealed class ProcessMetrics : ISpanMetrics
{
    private const long MicrosecondsPerTick = 1_000_000 / ProcUsage.TicksPerSecond;

    /// <summary>What has not answered by then is measured the next time.</summary>
    private static readonly TimeSpan AsideLimit = TimeSpan.FromMilliseconds(200);

    private readonly MetricStore store;
    private readonly long interval;
    private readonly AsideUsage aside;
    private readonly MetricFamily time, utilization, resident, total, threads, faults, uptime, disk, files;
    private readonly Dictionary<int, Known> processes = []; // by process id
    private readonly List<(Known Known, ProcUsage Usage, ProcHoldings Held)> read = [];
    private readonly Dictionary<MetricResource, Totals> totals = [];
    private ProcessInfo? last;
    private long due, measured;

    /// <param name="store">Keeps them.</param>
    /// <param name="interval">How often they are measured.</param>
    /// <param name="proc">How files of processes are read that take a right.</param>
    public ProcessMetrics(MetricStore store, TimeSpan interval, ProcReader proc)
    {
        (this.store, this.interval) = (store, (long)interval.TotalMilliseconds);
        aside = new AsideUsage(proc, AsideLimit);
        time = Add("process.cpu.time", "s", MetricKind.Counter, "Processor time that a process has used.", "cpu.mode");
        utilization = Add("process.cpu.utilization", "1", MetricKind.Gauge,
            "Part of the processor time of the host that a process used since it was measured before.", "cpu.mode");
        resident = Add("process.memory.usage", "By", MetricKind.UpDownCounter, "Memory that a process has.");
        total = Add("process.memory.virtual", "By", MetricKind.UpDownCounter, "Address space of a process.");
        threads = Add("process.thread.count", "{thread}", MetricKind.UpDownCounter, "Threads of a process.");
        faults = Add("process.paging.faults", "{fault}", MetricKind.Counter, "Page faults of a process.", "system.paging.fault.type");
        uptime = Add("process.uptime", "s", MetricKind.Gauge, "How long a process has been running.");
        disk = Add("process.disk.io", "By", MetricKind.Counter, "Disk bytes transferred.", "disk.io.direction");
        files = Add("process.unix.file_descriptor.count", "{file_descriptor}", MetricKind.UpDownCounter,
            "Number of unix file descriptors in use by the process.");
    }

    /// <inheritdoc/>
    public void OnSpan(in ExportedSpan span, ServiceResource service, MetricResource resource, in HostName host)
    {
        if (ReferenceEquals(span.Process, last))
        {
            return;
        }

        last = span.Process;
        if (processes.TryGetValue(last.Pid, out var known) && known.Service.Process.StartTime == last.StartTime)
        {
            // More may be known of it than before, and it may be another service by that.
            known.Service = service;
        }
        else
        {
            processes[last.Pid] = new Known { Service = service };
            due = 0;
        }
    }

    /// <summary>A process is over.</summary>
    public void End(ProcessInfo process)
    {
        last = null;
        if (processes.TryGetValue(process.Pid, out var known) && known.Service.Process.StartTime == process.StartTime)
        {
            _ = processes.Remove(process.Pid);
        }
    }

    /// <summary>Measures, if that is due.</summary>
    /// <param name="now">Milliseconds, as <see cref="Environment.TickCount64"/>.</param>
    /// <returns>When it is due next; never while there is no process.</returns>
    public long Tick(long now)
    {
        if (processes.Count == 0)
        {
            return long.MaxValue;
        }

        if (now >= due)
        {
            due = now + interval;
            Measure();
        }

        return due;
    }

    /// <summary>Measures now.</summary>
    public void Measure()
    {
        // Before the rest: whoever still has the number and the beginning then had both while it was asked.
        var held = aside.Read(processes.Keys);
        var (ticks, clock) = (MonotonicClock.BootTicks, MetricStore.Time);
        foreach (var known in processes.Values)
        {
            // Another one may have the number by now.
            var begun = known.Service.Process.StartTime;
            if (ProcUsage.TryRead(known.Service.Process.Pid, out var usage) && (begun == 0 || begun == usage.StartTime))
            {
                read.Add((known, usage, held.GetValueOrDefault(known.Service.Process.Pid)));
            }
        }

        using (store.Enter())
        {
            foreach (var (known, usage, holdings) in read)
            {
                var resource = store.Of(known.Service);
                if (!totals.TryGetValue(resource, out var sum))
                {
                    totals.Add(resource, sum = new Totals());
                }

                sum.Add(in usage, known.Last);
                sum.Add(in holdings, known.LastDisk);
                (known.Last, known.LastDisk) = (usage, holdings.Disk ?? known.LastDisk);
            }

            var available = measured == 0 ? 0 : (ticks - measured) * Processors.Online;
            foreach (var (resource, sum) in totals)
            {
                Write(resource, sum, clock, Math.Max(0, ticks - sum.Start) * MicrosecondsPerTick, available);
            }
        }

        read.Clear();
        totals.Clear();
        measured = ticks;
    }

    /// <param name="resource">Whose.</param>
    /// <param name="sum">What it used.</param>
    /// <param name="clock">Now.</param>
    /// <param name="age">Microseconds since it began.</param>
    /// <param name="available">Ticks of all processors since the last measurement; 0 for the first.</param>
    private void Write(MetricResource resource, Totals sum, long clock, long age, long available)
    {
        var start = clock - age;
        Of(time, "user"u8).Add(sum.User * MicrosecondsPerTick);
        Of(time, "system"u8).Add(sum.System * MicrosecondsPerTick);
        if (available > 0 && sum.IsKnown)
        {
            Of(utilization, "user"u8).Set(sum.UserSince * 1_000_000 / available);
            Of(utilization, "system"u8).Set(sum.SystemSince * 1_000_000 / available);
        }

        Of(resident).Set(sum.Resident);
        Of(total).Set(sum.Virtual);
        Of(threads).Set(sum.Threads);
        Of(faults, "minor"u8).Add(sum.MinorFaults);
        Of(faults, "major"u8).Add(sum.MajorFaults);
        Of(uptime).Set(age);
        if (sum.Disk is { } moved)
        {
            Of(disk, "read"u8).Add(moved.Read);
            Of(disk, "write"u8).Add(moved.Written);
        }

        if (sum.Files is { } open)
        {
            Of(files).Set(open);
        }

        Series Of(MetricFamily family, ReadOnlySpan<byte> attribute = default)
        {
            var key = store.BeginKey();
            if (family.Definition.Attributes.Count > 0)
            {
                key.Add(attribute);
            }

            return store.Of(family, resource, in key, start);
        }
    }

    private MetricFamily Add(string name, string unit, MetricKind kind, string description, params MetricAttribute[] attributes) =>
        store.Add(new MetricDefinition
        {
            // Seconds and parts are measured in millionths.
            Name = name, Unit = unit, Kind = kind, Description = description, Scale = unit is "s" or "1" ? 1_000_000 : 1,
            Attributes = attributes, IsSelectable = true, IsObserved = true,
        });

    private sealed class Known
    {
        public required ServiceResource Service { get; set; }

        public ProcUsage? Last { get; set; }

        public ProcDisk LastDisk { get; set; }
    }

    /// <summary>What the processes of one service instance used: counters since the last measurement, all else now.</summary>
    private sealed class Totals
    {
        public long Start { get; private set; } = long.MaxValue;

        public long User { get; private set; }

        public long System { get; private set; }

        public long MinorFaults { get; private set; }

        public long MajorFaults { get; private set; }

        public long Resident { get; private set; }

        public long Virtual { get; private set; }

        public long Threads { get; private set; }

        /// <summary>Of those of which it is known; null where it is of none. So are the descriptors.</summary>
        public ProcDisk? Disk { get; private set; }

        /// <inheritdoc cref="Disk"/>
        public long? Files { get; private set; }

        /// <summary>Without that of processes which are measured for the first time: nobody knows when they used it.</summary>
        public long UserSince { get; private set; }

        /// <inheritdoc cref="UserSince"/>
        public long SystemSince { get; private set; }

        /// <summary>Whether one of them was measured before.</summary>
        public bool IsKnown { get; private set; }

        public void Add(in ProcHoldings now, ProcDisk before)
        {
            if (now.Disk is { } disk)
            {
                var sum = Disk ?? default;
                Disk = new ProcDisk(sum.Read + disk.Read - before.Read, sum.Written + disk.Written - before.Written);
            }

            Files = now.Files is { } files ? (Files ?? 0) + files : Files;
        }

        public void Add(in ProcUsage now, ProcUsage? before)
        {
            var past = before ?? default;
            Start = Math.Min(Start, now.StartTime);
            User += now.User - past.User;
            System += now.System - past.System;
            MinorFaults += now.MinorFaults - past.MinorFaults;
            MajorFaults += now.MajorFaults - past.MajorFaults;
            Resident += now.Resident;
            Virtual += now.Virtual;
            Threads += now.Threads;
            if (before is not null)
            {
                IsKnown = true;
                UserSince += now.User - past.User;
                SystemSince += now.System - past.System;
            }
        }
    }
}

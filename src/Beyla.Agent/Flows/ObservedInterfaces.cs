using System.Globalization;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// Keeps the flow programs on exactly the interfaces that are wanted, while interfaces come, go and get other names. One thread.
/// </summary>
internal sealed class ObservedInterfaces : IDisposable
{
    /// <summary>Milliseconds between two repairs of an interface, and without one until the next warning.</summary>
    internal const long RepairPause = 1000, WarningPause = 60_000;

    private readonly IFlowWay way;
    private readonly InterfaceFilter filter;
    private readonly NetworkLinks network;
    private readonly FlowHost host;
    private readonly Dictionary<int, IDisposable> attached = [];
    private readonly HashSet<int> refused = [];

    /// <summary>Interfaces from which others took the programs, and when that was told (milliseconds).</summary>
    private readonly Dictionary<int, long> stripped = [];

    internal ObservedInterfaces(IFlowWay way, InterfaceFilter filter, NetworkLinks network, FlowHost host)
    {
        this.way = way;
        this.filter = filter;
        this.network = network;
        this.host = host;
    }

    /// <summary>Interfaces that are observed now.</summary>
    internal int Count => attached.Count;

    /// <summary>Attaches and detaches until what is observed is what is wanted.</summary>
    /// <param name="removed">Interfaces known to have gone: what is attached to them is void even when the number is in use again.</param>
    /// <param name="strict">Throw when an interface cannot be observed, instead of a warning.</param>
    internal void Reconcile(IReadOnlyCollection<int> removed, bool strict = false)
    {
        var links = network.List();
        foreach (var index in removed)
        {
            Detach(index);
            _ = refused.Remove(index);
            _ = stripped.Remove(index);
        }

        var wanted = new HashSet<int>();
        foreach (var link in links)
        {
            if (filter.Wants(link.Name))
            {
                _ = wanted.Add(link.Index);
                Attach(link, strict);
            }
        }

        foreach (var index in attached.Keys.Except(wanted).ToArray())
        {
            Detach(index);
        }
    }

    /// <summary>
    /// Attaches again where somebody took the programs away; at most once in a second, as that may be another who does the same.
    /// </summary>
    /// <param name="suspects">Where something was taken away.</param>
    /// <returns>Interfaces that have to wait.</returns>
    internal List<int> Repair(IReadOnlySet<int> suspects)
    {
        List<int> later = [];
        foreach (var link in network.List())
        {
            var index = link.Index;
            if (!suspects.Contains(index) || !attached.ContainsKey(index) || way.IsIntact(index))
            {
                continue;
            }

            var now = Environment.TickCount64;
            var before = stripped.GetValueOrDefault(index, long.MinValue / 2);
            if (now - before < RepairPause)
            {
                later.Add(index);
                continue;
            }

            if (now - before > WarningPause)
            {
                host.Warn(
                    $"flows: the programs on interface {link.Name} were removed by another program; "
                    + "they are attached again, packets in between were not counted");
            }

            stripped[index] = now;
            Detach(index);
            Attach(link, strict: false);
        }

        return later;
    }

    /// <summary>The interfaces that are observed.</summary>
    internal IEnumerable<int> All => attached.Keys;

    /// <summary>Detaches everything.</summary>
    public void Dispose()
    {
        if (way.DetachesInParallel)
        {
            DetachTogether([.. attached.Values]);
            attached.Clear();
            return;
        }

        foreach (var index in attached.Keys.ToArray())
        {
            Detach(index);
        }
    }

    /// <summary>One after the other, two hundred interfaces would take three seconds.</summary>
    private static void DetachTogether(IDisposable[] attachments)
    {
        const int most = 32, stack = 128 * 1024;
        var next = -1;
        var threads = new Thread[Math.Min(most, attachments.Length) - (attachments.Length > 0 ? 1 : 0)];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work, stack) { IsBackground = true, Name = "detach" };
            threads[i].Start();
        }

        Work();
        foreach (var thread in threads)
        {
            thread.Join();
        }

        void Work()
        {
            for (int mine; (mine = Interlocked.Increment(ref next)) < attachments.Length;)
            {
                attachments[mine].Dispose();
            }
        }
    }

    private void Attach(NetworkLink link, bool strict)
    {
        if (attached.ContainsKey(link.Index))
        {
            return;
        }

        try
        {
            using (host.Raise())
            {
                attached[link.Index] = way.Attach(link.Index);
            }

            _ = refused.Remove(link.Index);
            host.Debug($"flows: interface {link.Name} is observed by {way.Name}");
            WarnOfLeftovers(link);
        }
        catch (KernelException exception) when (!strict || exception.Errno == Errno.ENODEV)
        {
            // Gone again, or refused: said once for each interface.
            if (exception.Errno != Errno.ENODEV && refused.Add(link.Index))
            {
                host.Warn($"flows: interface {link.Name} is not observed: {exception.Message}");
            }
        }
    }

    /// <summary>What a killed agent left behind by traffic control works on each packet until somebody who may removes it.</summary>
    private void WarnOfLeftovers(NetworkLink link)
    {
        foreach (var filter in way.Leftovers(link.Index))
        {
            host.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"flows: a killed agent left classifier {filter.Name} on interface {link.Name}; remove it: "
                + $"sudo tc filter del dev {link.Name} {(filter.Egress ? "egress" : "ingress")} "
                + $"protocol all pref {filter.Priority} handle {filter.Handle} bpf"));
        }
    }

    private void Detach(int index)
    {
        if (attached.Remove(index, out var attachment))
        {
            using var raised = host.Raise();
            attachment.Dispose();
        }
    }
}

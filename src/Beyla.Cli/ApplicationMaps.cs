using Beyla.Agent.Configuration;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Cli;

/// <summary>
/// What the keeper attached for application observability, as memory of this process: reading and writing it takes no system call and no
/// capability.
/// </summary>
internal sealed class ApplicationMaps : IDisposable
{
    private readonly ApplicationFacts facts;
    private readonly int processRing, socketRing;

    private ApplicationMaps(ApplicationFacts facts, ReadOnlySpan<int> maps)
    {
        this.facts = facts;
        (processRing, socketRing) = (maps[1], maps[2]);
        Selection = new SelectionMap(maps[0]);
        Verdicts = new VerdictMap(maps[3]);
        Passed = new PassedMap(maps[4]);
        ThreadRules = new ThreadRuleMap(maps[5]);
        // A mapping keeps what it maps; only the rings are waited for by their descriptors.
        foreach (var map in (ReadOnlySpan<int>)[maps[0], maps[3], maps[4], maps[5]])
        {
            Descriptor.Close(map);
        }
    }

    /// <summary>Who is traced.</summary>
    public SelectionMap Selection { get; }

    /// <summary>What is said to the protocols of connections.</summary>
    public VerdictMap Verdicts { get; }

    /// <summary>What was sent without an event.</summary>
    public PassedMap Passed { get; }

    /// <summary>Which processes' calls are not told by their threads.</summary>
    public ThreadRuleMap ThreadRules { get; }

    /// <summary>How sockets are seen.</summary>
    public SocketSourceKind Source => (SocketSourceKind)facts.Source;

    /// <summary>Maps what the keeper gives; null where it attached nothing.</summary>
    /// <exception cref="KernelException">The memory cannot be mapped.</exception>
    public static ApplicationMaps? Open(KeeperConnection keeper)
    {
        Span<int> maps = stackalloc int[MessageSocket.MaximumDescriptors];
        return keeper.Application(maps) is { } facts ? new ApplicationMaps(facts, maps) : null;
    }

    /// <summary>Whether the kernel took a part that it may refuse.</summary>
    public bool Has(ApplicationParts part) => facts.Parts.HasFlag(part);

    /// <summary>What reads the rings; once.</summary>
    /// <param name="pollInterval">How long an event may wait in the ring while there is traffic.</param>
    public EventLoop Loop(TimeSpan pollInterval)
    {
        var loop = new EventLoop(
            Selection, new RingBuffer(processRing, facts.ProcessRing), new RingBuffer(socketRing, facts.SocketRing), pollInterval);
        loop.WatchRings();
        return loop;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Selection.Dispose();
        Verdicts.Dispose();
        Passed.Dispose();
        ThreadRules.Dispose();
        Descriptor.Close(processRing);
        Descriptor.Close(socketRing);
    }
}

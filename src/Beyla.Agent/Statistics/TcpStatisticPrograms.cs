using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Statistics;

/// <summary>
/// The statistics programs (bpf/statistics.bpf.c), loaded and attached: the keeper's half. Any thread; loading, walking and counting
/// ask for CAP_BPF and CAP_PERFMON, which the caller raises.
/// </summary>
public sealed class TcpStatisticPrograms : IDisposable
{
    private const string State = "on_state", Files = "on_file", RingName = "tcp_statistics";

    /// <summary>A walk over all open files may take at most this part of the time: one in so many.</summary>
    private const int IdleFactor = 50;

    private readonly Lock gate = new();
    private readonly BpfObject programs;
    private readonly BpfMap counters;
    private readonly BpfProgram[] counted;
    private BpfLink? state;
    private BpfIterator? files;
    private long walkAt;
    private bool wasLast;

    private TcpStatisticPrograms(BpfObject programs)
    {
        this.programs = programs;
        counters = programs.Map(RingName + "_counters");
        counted = [programs.Program(State)];
    }

    /// <summary>The ring buffer map of <see cref="TcpStatistic"/>.</summary>
    public BpfMap Ring => programs.Map(RingName);

    /// <summary>Loads and attaches, and gives each connection that is open its beginning: what it did before is not told.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static TcpStatisticPrograms Open()
    {
        var result = new TcpStatisticPrograms(BpfObject.Open("statistics"));
        try
        {
            _ = result.programs.Load();
            result.files = new BpfIterator(result.programs.Program(Files));
            // First: what is made while the walk is under way must be seen by one of the two.
            result.state = result.programs.Program(State).Attach();
            result.files.Run();
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>
    /// As <see cref="ITcpStatisticKernel.Walk"/>. It is put off where the one before is not a second ago or took long; who asks cannot make
    /// the kernel walk all the time.
    /// </summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public long Walk(bool isLast)
    {
        lock (gate)
        {
            var started = Environment.TickCount64;
            if (files is not null && (started >= walkAt || (isLast && !wasLast)))
            {
                files.Run();
                var now = Environment.TickCount64;
                walkAt = now + Math.Max(1000, (now - started) * IdleFactor);
                wasLast |= isLast;
            }
        }

        return (long)RingCounters.Read(counters).Lost;
    }

    /// <summary>As <see cref="ITcpStatisticKernel.Detach"/>.</summary>
    public void Detach()
    {
        lock (gate)
        {
            state?.Dispose();
            files?.Dispose();
            (state, files) = (null, null);
        }
    }

    /// <summary>What its programs counted. Takes no memory.</summary>
    /// <param name="places">Takes the rows: two at most.</param>
    /// <returns>How many rows.</returns>
    public int Count(Span<PlaceCounters> places)
    {
        var c = RingCounters.Read(counters);
        places[0] = new PlaceCounters("statistics", "events", (long)c.Produced, Emitted: (long)c.Emitted, Lost: (long)c.Lost);
        return 1 + RingCounters.Missed("statistics", counted, places[1..]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Detach();
        programs.Dispose();
    }
}

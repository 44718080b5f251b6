using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Statistics;

/// <summary>
/// Reads TCP statistics and hands them to a sink, on a thread of its own from <see cref="Start"/> to <see cref="Stop"/>. Needs no
/// capability: what does is behind <see cref="ITcpStatisticKernel"/>.
/// </summary>
public sealed class StatisticReader : IRingSink, ICounted, IDisposable
{
    /// <summary>The programs wake nobody while the ring has room: it is looked at so often.</summary>
    private const int LookMilliseconds = 1000;

    /// <summary>How often what goes on is told of.</summary>
    private const int WalkMilliseconds = 5000;

    private readonly ITcpStatisticKernel kernel;
    private readonly ITcpStatisticSink sink;
    private readonly RingBuffer ring;
    private readonly Signal stop = new();
    private readonly Epoll epoll = new();
    private readonly Thread thread;
    private long handedOn, tooShort, lostBefore;
    private bool isDamaged, isStarted, isStopped, isDisposed;

    /// <param name="kernel">Taken over, also where this throws.</param>
    /// <param name="sink">Takes the records, on the thread that reads.</param>
    /// <exception cref="KernelException">The ring cannot be mapped.</exception>
    public StatisticReader(ITcpStatisticKernel kernel, ITcpStatisticSink sink)
    {
        (this.kernel, this.sink) = (kernel, sink);
        try
        {
            ring = new RingBuffer(kernel.RingDescriptor, kernel.RingSize);
        }
        catch
        {
            kernel.Dispose();
            epoll.Dispose();
            stop.Dispose();
            throw;
        }

        thread = new Thread(Run) { IsBackground = true, Name = "statistics" };
    }

    /// <summary>
    /// Has the kernel side wake the reader where the ring fills; before <see cref="Start"/>. Not for a ring that is plain memory, which
    /// epoll does not take.
    /// </summary>
    public void WatchRing() => epoll.Watch(ring.FileDescriptor);

    /// <summary>Begins to read.</summary>
    public void Start()
    {
        epoll.Watch(stop.FileDescriptor);
        isStarted = true;
        thread.Start();
    }

    /// <summary>Tells what open connections did until now, detaches, hands on what is left, ends the thread.</summary>
    public void Stop()
    {
        if (isStopped)
        {
            return;
        }

        isStopped = true;
        stop.Set();
        if (isStarted)
        {
            thread.Join();
        }
    }

    /// <summary>Hands the record on; one that is shorter than a statistic is counted as lost.</summary>
    public void OnRecord(ReadOnlySpan<byte> record)
    {
        if (!MemoryMarshal.TryRead(record, out TcpStatistic statistic))
        {
            Interlocked.Increment(ref tooShort);
            return;
        }

        Interlocked.Increment(ref handedOn);
        sink.OnStatistic(in statistic);
    }

    /// <inheritdoc/>
    void IRingSink.EndBatch() => sink.Flush();

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var (emitted, lost) = (Interlocked.Read(ref handedOn), Interlocked.Read(ref tooShort));
        yield return new PlaceCounters("statistics", "records", emitted + lost, Emitted: emitted, Lost: lost);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (isDisposed)
        {
            return; // the addresses and descriptors are another's by now
        }

        isDisposed = true;
        Stop();
        ring.Dispose();
        kernel.Dispose();
        epoll.Dispose();
        stop.Dispose();
    }

    /// <summary>Hands on what is in the ring.</summary>
    internal void Drain()
    {
        try
        {
            if (!isDamaged)
            {
                _ = ring.Drain(this, ring.End);
            }
        }
        catch (InvalidDataException damage)
        {
            isDamaged = true;
            Log.Error("TCP statistics cannot be read any more", ("error", damage.Message));
        }
    }

    private void Run()
    {
        var walkAt = Environment.TickCount64 + WalkMilliseconds;
        while (!stop.IsSet)
        {
            if (Environment.TickCount64 >= walkAt)
            {
                Walk(isLast: false);
                walkAt = Environment.TickCount64 + WalkMilliseconds;
            }

            Drain();
            _ = epoll.Wait(LookMilliseconds);
        }

        // In this order a connection that ends meanwhile is still told of.
        Walk(isLast: true);
        Try(kernel.Detach);
        Drain();
    }

    private void Walk(bool isLast) => Try(() =>
    {
        var lost = kernel.Walk(isLast);
        if (lost > lostBefore)
        {
            Log.WarnLimited(
                "statistics lost", "TCP statistics were lost: they were not read in time", ("records", lost - lostBefore));
        }

        lostBefore = lost;
    });

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (KernelException refusal)
        {
            Log.WarnLimited("statistics", "TCP statistics are not complete", ("error", refusal.Message));
        }
    }
}

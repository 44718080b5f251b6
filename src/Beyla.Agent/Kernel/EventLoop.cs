using System.Diagnostics;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>What the event loop drives, all on its one thread.</summary>
public interface IEventLoopClient
{
    /// <summary>Events were read, or time has passed: hand on what is ready.</summary>
    void Flush();

    /// <summary>About every 100 ms while there is traffic, every second when there is none.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    void Tick(ulong now);
}

/// <summary>
/// Reads the rings. While there is traffic it looks every few milliseconds, so that no traced process pays for a wake-up; after a
/// while without any it sleeps and asks the kernel side to wake it once (<see cref="SelectionMap.Sleep"/>).
/// </summary>
public sealed class EventLoop : IDisposable
{
    /// <summary>Without traffic for so long it sleeps.</summary>
    private const int QuietMilliseconds = 200;

    private const int TickMilliseconds = 100;

    /// <summary>Rounds that may begin before their time is over, since the ring fills: then only the clock tells what has passed.</summary>
    private const int RoundsWithoutClock = 32;

    private static readonly long TickInterval = Stopwatch.Frequency * TickMilliseconds / 1000;

    private readonly SelectionMap selection;
    private readonly RingBuffer processes;
    private readonly RingBuffer sockets;
    private readonly Epoll epoll = new();
    private readonly Signal stop = new();
    private readonly int pollMilliseconds, quietRounds;

    /// <param name="watcher">Its ring is read before the sockets' so that a process is known before what it sends.</param>
    /// <param name="source">The socket programs.</param>
    /// <param name="pollInterval">How long an event may wait in the ring while there is traffic.</param>
    public EventLoop(Watcher watcher, SocketSource source, TimeSpan pollInterval)
        : this(watcher.Selection, new RingBuffer(watcher.Ring), new RingBuffer(source.Ring), pollInterval) => WatchRings();

    /// <summary>Has new events of the kernel side wake the loop. Not for rings that are plain memory, which epoll does not take.</summary>
    public void WatchRings()
    {
        epoll.Watch(processes.FileDescriptor);
        epoll.Watch(sockets.FileDescriptor);
    }

    /// <summary>Does not watch the rings. Disposes them, but not the selection.</summary>
    /// <param name="selection">Who is traced.</param>
    /// <param name="processes">Read before the sockets', so that a process is known before what it sends.</param>
    /// <param name="sockets">What the socket programs wrote.</param>
    /// <param name="pollInterval">How long an event may wait in the ring while there is traffic.</param>
    public EventLoop(SelectionMap selection, RingBuffer processes, RingBuffer sockets, TimeSpan pollInterval)
    {
        this.selection = selection;
        this.processes = processes;
        this.sockets = sockets;
        pollMilliseconds = Math.Max(1, (int)pollInterval.TotalMilliseconds);
        quietRounds = Math.Max(2, QuietMilliseconds / pollMilliseconds);
        epoll.Watch(stop.FileDescriptor);
    }

    /// <summary>
    /// Has <see cref="IEventLoopClient.Flush"/> called soon after the descriptor becomes readable, also while the loop sleeps.
    /// </summary>
    public void Watch(int descriptor) => epoll.Watch(descriptor);

    /// <summary>
    /// Has the loop go round soon after the other end of a descriptor is closed, also while it sleeps. Of one that has no other end nothing
    /// comes.
    /// </summary>
    public void WatchEnd(int descriptor) => epoll.WatchEnd(descriptor);

    /// <summary>Ends <see cref="Run"/>. Any thread.</summary>
    public void Stop() => stop.Set();

    /// <summary>
    /// Why a ring cannot be read any further, with the position, the length and what to do; null while both can. Nothing is read from
    /// that ring any more.
    /// </summary>
    public string? Failure { get; private set; }

    /// <summary>Reads until <see cref="Stop"/>, or until there is a <see cref="Failure"/>.</summary>
    public void Run<TProcesses, TSockets>(TProcesses processSink, TSockets socketSink, IEventLoopClient client)
        where TProcesses : IRingSink
        where TSockets : IRingSink
    {
        var quiet = 0;
        var ticked = Stopwatch.GetTimestamp();
        // Milliseconds that were waited for sure since then: most rounds need no look at the clock.
        var waited = 0;
        var rounds = 0;
        while (!stop.IsSet && Failure is null)
        {
            var read = Drain(processSink, socketSink);
            client.Flush();
            quiet = read > 0 ? 0 : quiet + 1;
            if (waited >= TickMilliseconds || ++rounds >= RoundsWithoutClock)
            {
                rounds = 0;
                var now = Stopwatch.GetTimestamp();
                if (now - ticked >= TickInterval)
                {
                    ticked = now;
                    waited = 0;
                    client.Tick(MonotonicClock.Now);
                }
            }

            if (quiet < quietRounds)
            {
                waited += epoll.Wait(pollMilliseconds) == 0 ? pollMilliseconds : 0;
                continue;
            }

            selection.Sleep();
            // A program that was about to write when this thread went to sleep does not know of it: the short wait finds what it wrote.
            if (IsQuiet && epoll.Wait(pollMilliseconds) == 0 && IsQuiet)
            {
                // Nor does one that noted what it saw instead of writing an event; from now on they write events.
                client.Flush();
                _ = epoll.Wait(1000);
            }

            waited = TickMilliseconds;

            selection.Wake();
            // One event may be the first of many: look closely again for a while, but not when only the time limit ended the wait.
            quiet = IsQuiet ? quietRounds : 0;
        }
    }

    private bool IsQuiet => sockets.Backlog == 0 && processes.Backlog == 0;

    /// <summary>
    /// Reads what is there. The sockets' end is taken first: whatever process event came before it is then read before it.
    /// </summary>
    /// <returns>The number of records.</returns>
    public int Drain<TProcesses, TSockets>(TProcesses processSink, TSockets socketSink)
        where TProcesses : IRingSink
        where TSockets : IRingSink
    {
        var end = sockets.End;
        var read = Read("processes", processes, processSink, processes.End);
        return read + Read("sockets", sockets, socketSink, end);
    }

    /// <summary>
    /// A damaged ring is no reason to leave the other one unread, nor to skip what the end of the agent still has to do: whoever drives
    /// the loop hears of it by <see cref="Failure"/>.
    /// </summary>
    private int Read<TSink>(string name, RingBuffer ring, TSink sink, ulong end)
        where TSink : IRingSink
    {
        try
        {
            return ring.Drain(sink, end);
        }
        catch (InvalidDataException damage)
        {
            Failure ??= $"events of {name}: {damage.Message}";
            return 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        epoll.Dispose();
        stop.Dispose();
        processes.Dispose();
        sockets.Dispose();
    }
}

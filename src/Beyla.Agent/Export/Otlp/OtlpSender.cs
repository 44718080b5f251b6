using Beyla.Agent.Configuration;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Sends batches one after the other on a thread of its own, and tries again what may be tried again (OpenTelemetry Protocol specification,
/// "Failures"; waits double, with jitter, unless the receiver says when). Items and bytes that wait are bounded, those that are tried again
/// among them: when there is no room the newest are lost.
/// </summary>
public sealed class OtlpSender : IDisposable
{
    /// <summary>Bytes of all batches that wait or are on their way.</summary>
    public const int MaximumBytes = 16 * 1024 * 1024;

    private readonly IOtlpTransport transport;
    private readonly OtlpConfiguration options;
    private readonly string signal;
    private readonly int maximumItems;
    private readonly CancellationToken? holdUp;
    private readonly Lock gate = new();
    private readonly Queue<OtlpBatch> waiting = []; // under the gate, as is all below
    private readonly AutoResetEvent work = new(false);
    private readonly AutoResetEvent settled = new(false);
    private readonly CancellationTokenSource stop = new();
    private readonly Thread thread;
    private long sent, lost, held, bytes;
    private bool isStopping;
    private bool isDisposed;
    private bool fails; // the thread's own, as is the next
    private long lostWhileFailing;
    private bool gaveUp;

    /// <param name="transport">Carries the requests; it is disposed of with this.</param>
    /// <param name="options">How often and how long is tried.</param>
    /// <param name="signal">What is sent, for the log and the thread's name: <c>traces</c>, <c>metrics</c>.</param>
    /// <param name="maximumItems">Spans or data points that wait or are on their way.</param>
    /// <param name="holdUp">
    /// Where given, who asks for room waits until nothing else waits, since what is sent can wait too; cancelled when it cannot any more.
    /// When a batch was given up because nobody took it, the next ones are tried once each until one is answered.
    /// </param>
    public OtlpSender(
        IOtlpTransport transport, OtlpConfiguration options, string signal, int maximumItems, CancellationToken? holdUp = null)
    {
        (this.transport, this.options, this.signal, this.maximumItems) = (transport, options, signal, maximumItems);
        this.holdUp = holdUp;
        thread = new Thread(Run) { IsBackground = true, Name = "otlp " + signal };
        thread.Start();
    }

    /// <summary>Where it goes, for the log.</summary>
    public string Target => transport.Target;

    /// <summary>Why the last batch that was lost is lost; empty where none was. Any thread.</summary>
    public string LossReason { get; private set; } = "";

    /// <summary>Waits until nothing waits and nothing is on its way.</summary>
    /// <returns>False when it was cancelled first.</returns>
    public bool WaitUntilSettled(CancellationToken cancellation)
    {
        while (true)
        {
            lock (gate)
            {
                if (held == 0)
                {
                    return true;
                }
            }

            if (WaitHandle.WaitAny([settled, cancellation.WaitHandle]) == 1)
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Makes a batch and adds it to those that wait. Where there is no room for it, it is not made: what would be in it is lost and
    /// counted. Waits for nobody, but where it was told to hold up who adds.
    /// </summary>
    /// <param name="items">What it has.</param>
    /// <param name="size">Bytes of the request, about.</param>
    /// <param name="make">Makes it. Under the gate: it must not wait either.</param>
    /// <param name="isKept">What finds no room is not lost: a later batch has it.</param>
    /// <returns>Whether it was added.</returns>
    public bool TryAdd(int items, int size, Func<OtlpBatch> make, bool isKept = false)
    {
        if (holdUp is { } cancellation)
        {
            _ = WaitUntilSettled(cancellation);
        }

        bool isAdded;
        lock (gate)
        {
            isAdded = HasRoom(items, BatchBuffers.RoomFor(size));
            if (isAdded)
            {
                var batch = make();
                held += batch.Items;
                bytes += batch.Room;
                waiting.Enqueue(batch);
            }
            else if (!isKept)
            {
                lost += items;
            }
        }

        if (isAdded)
        {
            _ = work.Set();
        }
        else if (!isKept)
        {
            TellOfLack(items);
        }

        return isAdded;
    }

    /// <summary>What was taken by the receiver, what was lost, and what waits or is on its way. Any thread.</summary>
    public (long Sent, long Lost, long Held) Count()
    {
        lock (gate)
        {
            return (sent, lost, held);
        }
    }

    /// <summary>Sends what waits, without trying anything twice, until a moment; what is left then is lost.</summary>
    /// <param name="deadline">On the clock of <see cref="Environment.TickCount64"/>.</param>
    public void Stop(long deadline)
    {
        lock (gate)
        {
            if (isStopping)
            {
                return;
            }

            isStopping = true;
        }

        _ = work.Set();
        var left = (int)Math.Clamp(deadline - Environment.TickCount64, 0, int.MaxValue);
        if (!thread.Join(left))
        {
            stop.Cancel();
            _ = thread.Join(100);
        }

        lock (gate)
        {
            foreach (var batch in waiting)
            {
                lost += batch.Items;
                held -= batch.Items;
            }

            waiting.Clear();
        }
    }

    /// <summary>Ends the thread; without an earlier <see cref="Stop"/> what waits is lost.</summary>
    public void Dispose()
    {
        Stop(0);
        if (!thread.IsAlive && !isDisposed)
        {
            isDisposed = true;
            transport.Dispose();
            work.Dispose();
            settled.Dispose();
            stop.Dispose();
        }
    }

    private bool HasRoom(int items, int room) =>
        !isStopping && (held == 0 || (held + items <= maximumItems && bytes + room <= MaximumBytes));

    private void TellOfLack(int items) => Log.WarnLimited(
        "otlp full " + signal, "Telemetry is lost: the receiver takes less than there is",
        ("signal", signal), ("endpoint", transport.Target), ("lost", items));

    private void Run()
    {
        while (true)
        {
            OtlpBatch? batch;
            lock (gate)
            {
                if (!waiting.TryDequeue(out batch) && isStopping)
                {
                    return;
                }
            }

            if (batch is null)
            {
                _ = work.WaitOne();
                continue;
            }

            Settle(batch, Try(batch));
        }
    }

    private OtlpAnswer Try(OtlpBatch batch)
    {
        var giveUp = options.GiveUpAfter > TimeSpan.Zero
            ? Environment.TickCount64 + (long)options.GiveUpAfter.TotalMilliseconds : long.MaxValue;
        // A request that is sent again has no more time than is left for all.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        if (giveUp != long.MaxValue)
        {
            limit.CancelAfter((int)Math.Min(options.GiveUpAfter.TotalMilliseconds, int.MaxValue));
        }

        for (var wait = options.FirstBackoff; ; wait = Min(2 * wait, options.LongestBackoff))
        {
            var answer = transport.Send(batch.Body, limit.Token);
            if (answer.Verdict != OtlpVerdict.Again)
            {
                return answer;
            }

            Tell(answer);
            // At least half of it: so that many agents do not come back at the same moment.
            var pause = wait * ((1 + Random.Shared.NextDouble()) / 2);
            if (answer.After is { } asked)
            {
                // A receiver that asks for it at once, or at a moment that is over, must not be sent it without any wait.
                pause = Max(asked, Min(pause, options.FirstBackoff));
            }

            if (IsStopping() || (gaveUp && holdUp is not null) || Environment.TickCount64 + (long)pause.TotalMilliseconds >= giveUp)
            {
                return answer;
            }

            if (!Sleep(pause))
            {
                return transport.Send(batch.Body, limit.Token); // the end came: a last time, as with those that wait behind it
            }
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private bool IsStopping()
    {
        lock (gate)
        {
            return isStopping;
        }
    }

    /// <summary>Waits; false when the end came meanwhile.</summary>
    private bool Sleep(TimeSpan pause)
    {
        var until = Environment.TickCount64 + (long)pause.TotalMilliseconds;
        while (until - Environment.TickCount64 is > 0 and var left)
        {
            _ = work.WaitOne((int)Math.Min(left, int.MaxValue));
            if (IsStopping())
            {
                return false;
            }
        }

        return true;
    }

    private void Settle(OtlpBatch batch, OtlpAnswer answer)
    {
        var missed = answer.Verdict == OtlpVerdict.Taken ? Math.Clamp(answer.Rejected, 0, batch.Items) : batch.Items;
        lock (gate)
        {
            sent += batch.Items - missed;
            lost += missed;
            held -= batch.Items;
            bytes -= batch.Room;
            LossReason = missed > 0 ? answer.Reason : LossReason;
        }

        gaveUp = answer.Verdict == OtlpVerdict.Again;
        batch.Release();
        _ = settled.Set();
        if (answer.Verdict != OtlpVerdict.Taken)
        {
            lostWhileFailing += missed;
            Tell(answer);
            Log.WarnLimited("otlp lost " + signal, "Telemetry is lost: the receiver does not take it",
                ("signal", signal), ("endpoint", transport.Target), ("lost", missed), ("error", answer.Reason));
            return;
        }

        if (fails)
        {
            fails = false;
            Log.Info("The receiver takes telemetry again",
                ("signal", signal), ("endpoint", transport.Target), ("lost", lostWhileFailing));
            lostWhileFailing = 0;
        }

        if (answer.Reason.Length > 0 || missed > 0)
        {
            Log.WarnLimited("otlp partial " + signal, "The receiver did not take everything",
                ("signal", signal), ("endpoint", transport.Target), ("lost", missed), ("message", answer.Reason));
        }
    }

    /// <summary>Says the first failure after a success, and not each one.</summary>
    private void Tell(OtlpAnswer answer)
    {
        if (!fails)
        {
            fails = true;
            Log.Warn("Telemetry cannot be sent",
                ("signal", signal), ("endpoint", transport.Target), ("error", answer.Reason),
                ("next", answer.Verdict == OtlpVerdict.Again ? "it waits and is sent again" : "this request is not sent again"));
        }
    }
}

using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Relay;

/// <summary>The thread on which the stages work.</summary>
public sealed partial class SpanRelay
{
    private void Run()
    {
        var values = new SpanValues();
        var due = Tick();
        while (true)
        {
            var block = Next(due, out var wait, out var ends);
            if (block is not null)
            {
                block.Replay(values, stages);
                foreach (var stage in stages)
                {
                    stage.Flush();
                }

                Recycle(block);
            }
            else if (ends)
            {
                foreach (var stage in stages)
                {
                    stage.HandOver();
                }

                foreach (var stage in stages)
                {
                    stage.Finish(deadline);
                }

                return;
            }
            else
            {
                _ = work.WaitOne(wait);
            }

            if (block is not null || Environment.TickCount64 >= due)
            {
                due = Tick();
            }
        }
    }

    private long Tick()
    {
        var (now, due) = (Environment.TickCount64, long.MaxValue);
        foreach (var stage in stages)
        {
            due = Math.Min(due, stage.Tick(now));
        }

        return due;
    }

    /// <summary>The next block, or how long to wait for one.</summary>
    private RelayBlock? Next(long due, out int wait, out bool ends)
    {
        lock (gate)
        {
            (wait, ends) = (0, false);
            if (ready.TryDequeue(out var block))
            {
                return block;
            }

            var now = Environment.TickCount64;
            var lasts = unfinishedSince + Linger - now;
            if (unfinished is not null && (lasts <= 0 || isStopping))
            {
                (block, unfinished) = (unfinished, null);
                return block;
            }

            ends = isOver = isStopping;
            isIdle = unfinished is null;
            var longest = isIdle ? long.MaxValue : lasts;
            var until = due == long.MaxValue ? long.MaxValue : Math.Max(0, due - now);
            wait = (int)Math.Min(Math.Min(longest, until), int.MaxValue);
            wait = wait == int.MaxValue ? Timeout.Infinite : wait;
            return null;
        }
    }

    private void Recycle(RelayBlock block)
    {
        lock (gate)
        {
            emitted += block.Spans;
            held -= block.Spans;
            block.Clear();
            if (block.IsExtra)
            {
                return;
            }

            blocks--;
            if (spare.Count < MaximumSpare)
            {
                spare.Push(block);
            }
        }
    }

    private const int MaximumSpare = 16;
}

using Beyla.Agent.Linux;

namespace Beyla.Agent.Export;

/// <summary>How blocks are written: at once by whoever hands one over, or by the writer's thread.</summary>
public sealed partial class OutputQueue
{
    private void WriteAll()
    {
        while (true)
        {
            OutputBlock? block;
            int from;
            lock (gate)
            {
                (block, from) = closed ? default : rest is not null ? (rest, restFrom) : writing is null ? (TakeNext(), 0) : default;
                rest = null;
                writing ??= block;
                if (writing is null)
                {
                    drained.Set();
                }

                if ((stopping && writing is null) || closed)
                {
                    return;
                }
            }

            if (block is not null)
            {
                Write(block, from);
            }
            else if (!work.WaitOne(watched ? Timeout.Infinite : IdleMilliseconds) && output.IsClosed())
            {
                End(0);
            }
        }
    }

    private OutputBlock? TakeNext()
    {
        if (flushing && blocks.Ready == 0)
        {
            FinishUnfinished();
        }

        return blocks.Next();
    }

    private void Write(OutputBlock block, int position)
    {
        while (position < block.Length)
        {
            if (Environment.TickCount64 >= Volatile.Read(ref deadline))
            {
                lock (gate)
                {
                    closed = true;
                    Discard();
                }

                return;
            }

            var result = output.TryWrite(block.Bytes[position..], WaitMilliseconds, out var written);
            if (result == WriteResult.Written)
            {
                position += written;
                lock (gate)
                {
                    blocks.Counters.Emit(block, position);
                }
            }
            else if (result != WriteResult.Full)
            {
                End(result == WriteResult.Closed ? 0 : output.Error);
                return;
            }
        }

        lock (gate)
        {
            writing = null;
            blocks.Recycle(block);
        }
    }

    /// <summary>Writes a block on the caller's thread as far as that does not wait; the rest is the writer's.</summary>
    private void WriteAtOnce(OutputBlock block)
    {
        var position = 0;
        var result = WriteResult.Written;
        while (position < block.Length && result == WriteResult.Written)
        {
            result = output.TryWriteAtOnce(block.Bytes[position..], out var written);
            position += written;
        }

        bool isWriterNeeded;
        lock (gate)
        {
            if (writing != block)
            {
                return; // given up meanwhile
            }

            blocks.Counters.Emit(block, position);
            if (position == block.Length)
            {
                writing = null;
                blocks.Recycle(block);
                isWriterNeeded = flushing || blocks.Ready > 0 || stopping || !drained.IsSet;
            }
            else
            {
                isWriterNeeded = result == WriteResult.Full;
                (rest, restFrom) = isWriterNeeded ? (block, position) : default;
            }
        }

        Wake(isWriterNeeded);
        if (result is WriteResult.Closed or WriteResult.Failed)
        {
            End(result == WriteResult.Closed ? 0 : output.Error);
        }
    }

    private void End(int error)
    {
        lock (gate)
        {
            if (closed)
            {
                return;
            }

            closed = true;
            Discard();
        }

        drained.Set();
        Wake(true);
        Closed?.Invoke(error);
    }

    /// <summary>Everything that still waits is lost.</summary>
    private void Discard()
    {
        if (writing is not null)
        {
            blocks.Recycle(writing);
            writing = rest = null;
        }

        blocks.Discard();
    }
}

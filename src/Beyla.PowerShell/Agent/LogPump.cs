using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Reads the log of an agent on a thread of its own, so that the agent never waits for who reads it. Lines that nobody takes in time are
/// dropped and counted.
/// </summary>
internal sealed class LogPump
{
    private const int LongestLine = 1 << 14, QueueLength = 1000;

    private readonly Stream source;
    private readonly ConcurrentQueue<LogLine> queue = new();
    private readonly Thread thread;
    private long dropped;

    /// <summary>Begins to read.</summary>
    /// <param name="source">What the agent logs.</param>
    internal LogPump(Stream source)
    {
        this.source = source;
        thread = new Thread(Read) { IsBackground = true, Name = "Beyla log" };
        thread.Start();
    }

    /// <summary>The end of the log, which explains how the agent ended.</summary>
    internal AgentLog Kept { get; } = new();

    /// <summary>Lines that were dropped because nobody took them.</summary>
    internal long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Takes a line; does not wait.</summary>
    /// <returns>False when there is none.</returns>
    internal bool TryTake([NotNullWhen(true)] out LogLine? line) => queue.TryDequeue(out line);

    /// <summary>Waits until all is read, for a while.</summary>
    internal void Join(TimeSpan time) => thread.Join(time);

    private void Read()
    {
        var lines = new LineReader(source, LongestLine);
        try
        {
            do
            {
                while (lines.TryRead(out var text, out _))
                {
                    if (Kept.Add(text[..Math.Min(text.Length, LongestLine)]) is not { } line)
                    {
                        continue;
                    }

                    if (queue.Count < QueueLength)
                    {
                        queue.Enqueue(line);
                    }
                    else
                    {
                        Interlocked.Increment(ref dropped);
                    }
                }
            }
            while (lines.Fill());
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The pipe broke: the same as its end.
        }
    }
}

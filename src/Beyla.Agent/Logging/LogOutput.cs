using System.Diagnostics;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Logging;

/// <summary>
/// Writes whole texts to a descriptor of the log without ever waiting long for its reader: a parent that does not read the pipe it gave
/// must not stop the tracing, and not the end of the agent either. What has no room is dropped whole. Not thread-safe: the log holds its
/// lock.
/// </summary>
/// <param name="descriptor">Where to write; 2 is standard error.</param>
internal sealed class LogOutput(int descriptor)
{
    /// <summary>How long a reader may take when it has kept up so far, in milliseconds. One that stands still is waited for once.</summary>
    private const int Patience = 100;

    private OutputDescriptor? output;
    private byte[] rest = [];
    private bool stalled;

    /// <summary>Lines that were dropped and not reported yet.</summary>
    public long Lost { get; private set; }

    /// <summary>Writes a text as a whole.</summary>
    /// <returns>False when there is no room, or the descriptor cannot be written: nothing of the text will be seen.</returns>
    public bool TryWrite(ReadOnlySpan<byte> text)
    {
        output ??= new OutputDescriptor(descriptor);
        var started = Stopwatch.GetTimestamp();
        // A text that was begun is ended first, or the next one would go on in the middle of it.
        if (Write(rest, started) is var done && done < rest.Length)
        {
            rest = done > 0 ? rest[done..] : rest;
            return false;
        }

        rest = [];
        done = Write(text, started);
        if (done == text.Length)
        {
            return true;
        }

        if (done == 0)
        {
            return false;
        }

        rest = text[done..].ToArray();
        return true;
    }

    /// <summary>Counts the lines of a text that was not written.</summary>
    public void CountLost(ReadOnlySpan<byte> text) => Lost += text.Count((byte)'\n');

    /// <summary>Takes lines off <see cref="Lost"/> that were reported.</summary>
    public void ForgetLost(long lines) => Lost -= lines;

    /// <summary>The number of bytes that were taken.</summary>
    private int Write(ReadOnlySpan<byte> text, long started)
    {
        var done = 0;
        while (done < text.Length)
        {
            var left = stalled ? 0 : Patience - (int)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            var result = output!.TryWrite(text[done..], Math.Max(left, 0), out var written);
            if (result == WriteResult.Written)
            {
                done += written;
                stalled = false;
            }
            else if (result != WriteResult.Full || left <= 0)
            {
                // An error (nobody reads any more, the disk is full) does not wait, so it needs no memory; there is no other place to
                // say so.
                stalled = result == WriteResult.Full;
                break;
            }
        }

        return done;
    }
}

using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// One running agent and what it says. Two threads read its output and its log into one bounded queue; one thread, the caller's, takes
/// from it. When the caller is slow the queue fills, then the pipe, and then the agent drops and counts: the traced process never
/// waits.
/// </summary>
public sealed class AgentSession : IDisposable
{
    private const int BatchLength = 512, QueueLength = 64;

    private readonly AgentProcess process;
    private readonly BlockingCollection<IReadOnlyList<object>> queue = new(QueueLength);
    private readonly CancellationTokenSource discard = new();
    private readonly LogPump log;
    private readonly Thread reader;
    private bool released;
    private Exception? failure;

    private AgentSession(AgentCommand command)
    {
        Command = command;
        process = AgentProcess.Start(command);
        reader = new Thread(ReadStream) { IsBackground = true, Name = "Beyla stream" };
        reader.Start();
        log = new LogPump(process.Log);
    }

    /// <summary>What was started.</summary>
    public AgentCommand Command { get; }

    /// <summary>Process id of the agent.</summary>
    public int ProcessId => process.Id;

    /// <summary>Whether all that the agent said was taken.</summary>
    public bool IsCompleted => queue.IsCompleted;

    /// <summary>Lines of the log that were dropped because nobody took them.</summary>
    public long LogLinesDropped => log.Dropped;

    /// <summary>Starts the agent and begins to read.</summary>
    /// <exception cref="AgentException">The operating system refused.</exception>
    public static AgentSession Start(AgentCommand command) => new(command);

    /// <summary>
    /// Takes what has come: spans, flows, <see cref="StreamHeader"/>, <see cref="AgentCounters"/>, <see cref="StreamError"/>.
    /// </summary>
    /// <param name="batch">In the order in which it came.</param>
    /// <param name="wait">How long to wait for something.</param>
    /// <param name="stop">Ends the waiting.</param>
    /// <returns>False when nothing came in time.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public bool TryTake(out IReadOnlyList<object> batch, TimeSpan wait, CancellationToken stop)
    {
        var taken = queue.TryTake(out var found, (int)Math.Max(wait.TotalMilliseconds, 0), stop);
        batch = found ?? [];
        return taken;
    }

    /// <summary>Takes a line of the agent's log; does not wait.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTakeLog([NotNullWhen(true)] out LogLine? line) => log.TryTake(out line);

    /// <summary>Asks the agent to stop. What it still has to say follows.</summary>
    public void Finish()
    {
        released = true;
        process.Release();
    }

    /// <summary>Why the agent ended; null when it ended as asked. To be called when the session is completed.</summary>
    /// <param name="begun">Whether the stream had begun.</param>
    public AgentException? Outcome(bool begun)
    {
        var code = process.WaitForExit(AgentProcess.Grace);
        log.Join(AgentProcess.Grace);
        if (this.failure is { } failure)
        {
            return new AgentException(
                AgentFault.StreamInvalid, $"The stream of the agent '{Command.Path}' cannot be read: {failure.Message}",
                "Please report this with the stack trace of the error's Exception.InnerException.", Command.Path, failure);
        }

        return AgentExit.Judge(Command, ProcessId, code, begun, released, log.Kept);
    }

    /// <summary>Stops the agent; it is gone within 2 s.</summary>
    public void Dispose()
    {
        // The reader goes on reading, for an agent that cannot write cannot stop in order either.
        discard.Cancel();
        process.Dispose();
        reader.Join(TimeSpan.FromMilliseconds(200));
    }

    private void ReadStream()
    {
        using var stream = new AgentStream(process.Output);
        var batch = new List<object>();
        try
        {
            while (stream.TryRead(out var line))
            {
                batch.Add(line.Value is { } value ? Safe.Of(value) : line.Error!);
                if (batch.Count < BatchLength && stream.HasLine)
                {
                    continue;
                }

                if (!discard.IsCancellationRequested)
                {
                    Add(batch);
                }

                batch = [];
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The pipe broke: the same as its end.
        }
        catch (Exception error)
        {
            // What escapes a thread would end the shell of the user. The run ends with this error instead.
            this.failure = error;
        }

        queue.CompleteAdding();
    }

    private void Add(List<object> batch)
    {
        try
        {
            queue.Add(batch, discard.Token);
        }
        catch (OperationCanceledException)
        {
            // Nobody wants it any more.
        }
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Runs <c>beyla export</c>: what is written here it reads as a stream, and what it prints comes back as lines of text. Two threads move
/// the bytes through bounded queues, so whoever is slow, the others wait and nothing is lost. Everything else happens on the caller's
/// thread.
/// </summary>
internal sealed class ExportRun : IDisposable
{
    // A page or a request has no bound of its own; one that is this long comes from no agent of ours.
    private const int LongestLine = 1 << 28, WaitingBlocks = 64;

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(100), FullTurn = TimeSpan.FromMilliseconds(5);

    private readonly AgentCommand command;
    private readonly IRunSink sink;
    private readonly Func<string, IEnumerable<string>> show;
    private readonly AgentProcess process;
    private readonly LogPump log;
    private readonly LogTeller teller;
    private readonly BlockingCollection<byte[]> input = new(WaitingBlocks);
    private readonly BlockingCollection<string> output = new(WaitingBlocks);
    private readonly CancellationTokenSource discard = new();
    private ExportReport? report;
    private volatile bool broken;
    private long sent;

    private ExportRun(AgentCommand command, IRunSink sink, Func<string, IEnumerable<string>> show)
    {
        (this.command, this.sink, this.show) = (command, sink, show);
        sink.Verbose($"Starting {command}");
        process = AgentProcess.Start(command);
        log = new LogPump(process.Log);
        teller = new LogTeller(command, sink);
        new Thread(Feed) { IsBackground = true, Name = "Beyla export input" }.Start();
        new Thread(Read) { IsBackground = true, Name = "Beyla export output" }.Start();
    }

    /// <summary>Starts the agent.</summary>
    /// <param name="command">The command <c>export</c>, which reads its input.</param>
    /// <param name="sink">Where lines, warnings and errors go.</param>
    /// <param name="show">What a line of the agent's output becomes.</param>
    /// <exception cref="AgentException">The operating system refused.</exception>
    internal static ExportRun Start(AgentCommand command, IRunSink sink, Func<string, IEnumerable<string>> show) =>
        new(command, sink, show);

    /// <summary>Gives lines of the stream to the agent; waits while it has no room. What it has printed meanwhile is handed on.</summary>
    /// <param name="lines">Whole lines, each with its line feed; kept.</param>
    /// <param name="spans">How many spans they are.</param>
    /// <param name="stop">Ends the waiting.</param>
    /// <exception cref="AgentException">The agent has ended.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    internal void Write(byte[] lines, int spans, CancellationToken stop)
    {
        while (!broken && !input.TryAdd(lines, (int)FullTurn.TotalMilliseconds, stop))
        {
            Take();
        }

        if (broken)
        {
            Finish(stop);
            throw EndedEarly();
        }

        sent += spans;
        Take();
    }

    /// <summary>Waits until the agent has exported all that was written, and hands on the rest of its output.</summary>
    /// <exception cref="AgentException">The agent failed; what it only lost is reported as an error that ends nothing.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    internal void Finish(CancellationToken stop)
    {
        input.CompleteAdding();
        while (!output.IsCompleted)
        {
            if (output.TryTake(out var line, (int)Turn.TotalMilliseconds, stop))
            {
                Emit(line);
            }

            TakeLog();
        }

        var code = process.WaitForExit(AgentProcess.Grace);
        log.Join(AgentProcess.Grace);
        TakeLog();
        var outcome = ExportReport.Judge(command, process.Id, code, report, log.Kept) ?? (broken ? EndedEarly() : null);
        teller.End(outcome, log.Dropped);
        if (outcome is { Kind: AgentFault.SpansLost })
        {
            sink.Report(outcome);
        }
        else if (outcome is not null)
        {
            throw outcome;
        }
        else if (report!.Exported != sent)
        {
            sink.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"Of {sent} spans {report.Exported} were exported; sampling or a filter left out the others."));
        }
    }

    /// <summary>Ends the agent, within 2 s, whatever it still has to do.</summary>
    public void Dispose()
    {
        discard.Cancel();
        if (!input.IsAddingCompleted)
        {
            input.CompleteAdding();
        }

        process.Dispose();
    }

    private AgentException EndedEarly() => new(
        AgentFault.AgentDied, $"The agent (process {process.Id}) ended before it had read all spans.",
        $"Run it by hand to see all that it says: {command}", process.Id);

    private void Take()
    {
        while (output.TryTake(out var line))
        {
            Emit(line);
        }

        TakeLog();
    }

    private void Emit(string line)
    {
        foreach (var text in show(line))
        {
            sink.Emit(text);
        }
    }

    private void TakeLog()
    {
        while (log.TryTake(out var line))
        {
            report = ExportReport.Parse(line) ?? report;
            teller.Show(line with { Fields = [.. line.Fields.Select(Renamed)] });
        }

        teller.TellErrors();
    }

    // The n-th line that the agent was given is the n-th span, in whatever line of a recording that stands.
    private static KeyValuePair<string, string> Renamed(KeyValuePair<string, string> field) =>
        field.Key == "line" ? new("span", field.Value) : field;

    private void Feed()
    {
        try
        {
            foreach (var block in input.GetConsumingEnumerable(discard.Token))
            {
                process.Input.Write(block);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            broken = true;
        }
        catch (OperationCanceledException)
        {
            // Nobody wants it any more.
        }

        process.Release();
    }

    private void Read()
    {
        try
        {
            var lines = new LineReader(process.Output, LongestLine);
            do
            {
                while (lines.TryRead(out var line, out var kind))
                {
                    if (kind != LineKind.TooLong)
                    {
                        output.Add(Encoding.UTF8.GetString(line), discard.Token);
                    }
                }
            }
            while (lines.Fill());
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The pipe broke, or nobody wants it any more: the same as its end.
        }

        output.CompleteAdding();
    }
}

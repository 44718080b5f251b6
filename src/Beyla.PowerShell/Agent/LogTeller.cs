using System.Diagnostics;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Tells a user what an agent logs, by the streams of PowerShell: the same kind of warning once in a while, errors when it shows that the
/// agent goes on. One thread.
/// </summary>
/// <param name="command">What was started, which variables were its parameters.</param>
/// <param name="sink">Whom to tell.</param>
internal sealed class LogTeller(AgentCommand command, IRunSink sink)
{
    private static readonly TimeSpan WarningPause = TimeSpan.FromSeconds(10), ErrorPatience = TimeSpan.FromMilliseconds(500);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly Limiter limiter = new(WarningPause);
    private readonly List<(TimeSpan At, LogLine Line)> errors = [];

    /// <summary>Tells of a line, according to its level.</summary>
    internal void Show(LogLine line)
    {
        switch (line.Level)
        {
            case LogLevel.Debug:
                sink.Debug(line.Text);
                break;
            case LogLevel.Info:
                sink.Verbose(line.Text);
                break;
            case LogLevel.Error:
                // The last words of an agent belong to the error that ends the run, so wait and see.
                errors.Add((clock.Elapsed, line));
                break;
            default:
                Warn(line);
                break;
        }
    }

    /// <summary>A warning with its remedy.</summary>
    internal void Warn(LogLine line)
    {
        Warn(line.Kind, AgentWords.InParameters(line.Text, command));
        if (line[LogLine.Remedy] is { Length: > 0 } remedy)
        {
            Warn(remedy, $"Remedy: {remedy}");
        }

        if (line[LogLine.Evidence] is { Length: > 0 } evidence)
        {
            sink.Verbose($"{line.Message}: {evidence}");
        }
    }

    /// <summary>A warning.</summary>
    /// <param name="kind">What makes warnings alike.</param>
    /// <param name="text">What to say.</param>
    internal void Warn(string kind, string text)
    {
        if (limiter.Allow(kind, (long)clock.Elapsed.TotalMilliseconds, out var held))
        {
            sink.Warn(held == 0 ? text : $"{text} ({held} more like this)");
        }
    }

    /// <summary>Tells of the errors that the agent has survived for a moment.</summary>
    internal void TellErrors()
    {
        while (errors.Count > 0 && clock.Elapsed - errors[0].At >= ErrorPatience)
        {
            var line = errors[0].Line;
            errors.RemoveAt(0);
            Say(line, null);
        }
    }

    /// <summary>Tells of all errors but what the error that ended the agent says already.</summary>
    /// <param name="outcome">That error; null when there is none.</param>
    /// <param name="dropped">Lines of the log that were lost.</param>
    internal void End(AgentException? outcome, long dropped)
    {
        foreach (var (_, line) in errors)
        {
            Say(line, outcome);
        }

        errors.Clear();
        if (dropped > 0)
        {
            sink.Warn($"{dropped} lines of the agent's log were dropped while the pipeline was busy.");
        }
    }

    private void Say(LogLine line, AgentException? outcome)
    {
        var text = AgentWords.InParameters(line.Text, command);
        var said = line.Error.Length > 0 ? AgentWords.InParameters(line.Error, command) : text;
        if (outcome is null || !outcome.Message.Contains(said, StringComparison.Ordinal))
        {
            sink.Report(new AgentException(
                AgentFault.AgentError, text, "The agent goes on without it; see its log with -Verbose and -Debug.", command.Path));
        }
    }
}

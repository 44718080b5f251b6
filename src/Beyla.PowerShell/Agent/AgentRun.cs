using System.Diagnostics;
using System.Globalization;

namespace Beyla.PowerShell.Agent;

/// <summary>What ends a run, and what of the stream it is for.</summary>
/// <param name="Wanted">The type of the results; other records are not emitted.</param>
/// <param name="Duration">Time from the moment at which the agent sees what happens; null for no end.</param>
/// <param name="MaximumCount">Results at most; null for no limit.</param>
/// <param name="Filter">What a result must fulfil; null for nothing.</param>
/// <param name="Merge">Whether flows are added up and emitted at the end.</param>
/// <param name="Silence">Says why nothing comes; null for nobody.</param>
public sealed record RunLimits(
    Type Wanted, TimeSpan? Duration = null, long? MaximumCount = null, Predicate<object>? Filter = null, bool Merge = false, ISilence? Silence = null);

/// <summary>Runs the agent and hands its results to a sink until time, number, agent or caller end it. Everything happens on the caller's thread.</summary>
public sealed class AgentRun
{
    /// <summary>An agent that has begun no stream by then is given up.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    private const int BadLineLimit = 100;

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(100), WarningPause = TimeSpan.FromSeconds(10), ErrorPatience = TimeSpan.FromMilliseconds(500);

    private readonly AgentCommand _command;
    private readonly RunLimits _limits;
    private readonly IRunSink _sink;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Limiter _limiter = new(WarningPause);
    private readonly List<(TimeSpan At, LogLine Line)> _errors = [];
    private readonly TimeSpan _startLimit;
    private readonly FlowMerger? _merger;
    private readonly MissingList _missing = new();
    private TimeSpan? _begun;
    private TimeSpan? _attached;
    private TimeSpan? _finishing;
    private long _count;
    private long _badLines;
    private volatile bool _asked;

    /// <summary>Prepares a run.</summary>
    public AgentRun(AgentCommand command, RunLimits limits, IRunSink sink, TimeSpan? startLimit = null)
    {
        (_command, _limits, _sink) = (command, limits, sink);
        _startLimit = startLimit ?? StartLimit;
        _merger = limits.Merge ? new FlowMerger() : null;
    }

    /// <summary>Whether <see cref="RequestFinish"/> was called.</summary>
    public bool WasAsked => _asked;

    /// <summary>Asks for an orderly end: the agent stops, and what it still has to say is handed on. Any thread may call it; returns at once.</summary>
    public void RequestFinish() => _asked = true;

    /// <summary>Runs until the end. Whatever ends it, the agent is gone when this returns.</summary>
    /// <exception cref="AgentException">The agent could not be started or failed, or its stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public void Run(CancellationToken stop)
    {
        _sink.Verbose($"Starting {_command}");
        using var session = AgentSession.Start(_command);
        while (!session.IsCompleted)
        {
            if (session.TryTake(out var batch, Turn, stop))
            {
                foreach (var item in batch)
                    Take(session, item);
            }

            TakeLog(session);
            Check(session);
        }

        foreach (var flow in _merger?.Flows ?? [])
            Emit(session, flow);

        var outcome = session.Outcome(_begun is not null);
        TakeLog(session);
        _missing.End(_sink.Verbose);
        if (outcome is null && _limits.Duration is not null && !_asked)
            Tell(ending: true);
        Say(_errors.Select(e => e.Line), outcome);
        if (session.LogLinesDropped > 0)
            _sink.Warn($"{session.LogLinesDropped} lines of the agent's log were dropped while the pipeline was busy.");
        if (outcome is not null)
            throw outcome;
    }

    private void Take(AgentSession session, object item)
    {
        switch (item)
        {
            case StreamHeader header:
                _begun = _clock.Elapsed;
                _sink.Verbose($"Agent {Visible.Text(header.Agent)} runs as process {session.ProcessId}.");
                break;
            case AgentCounters counters:
                Sum(counters);
                break;
            case StreamError error:
                Bad(error);
                break;
            default:
                // Whatever the agent saw, it is attached.
                _attached ??= _clock.Elapsed;
                if (_limits.Wanted.IsInstanceOfType(item) && _limits.Filter?.Invoke(item) != false)
                    Keep(session, item);
                break;
        }
    }

    private void Keep(AgentSession session, object value)
    {
        if (_merger is not null && value is Flow flow)
            _merger.Add(flow);
        else
            Emit(session, value);
    }

    private void Emit(AgentSession session, object value)
    {
        if (_count == _limits.MaximumCount)
            return;

        _count++;
        _limits.Silence?.OnResult(value);
        _sink.Emit(value);
        if (_count == _limits.MaximumCount)
            Finish(session);
    }

    private void Check(AgentSession session)
    {
        var now = _clock.Elapsed;
        if (_begun is null && now > _startLimit && !session.IsCompleted)
        {
            throw new AgentException(AgentFault.AgentSilent,
                string.Create(CultureInfo.InvariantCulture, $"The agent '{_command.Path}' began no stream within {_startLimit.TotalSeconds:0.#} s."),
                $"Run it by hand to see what it waits for: {_command}", _command.Path);
        }

        while (_errors.Count > 0 && now - _errors[0].At >= ErrorPatience)
        {
            var line = _errors[0].Line;
            _errors.RemoveAt(0);
            Say([line], null);
        }

        // An agent whose log does not come through never says that it is attached.
        if (_begun is { } begun && now - begun > _startLimit)
            _attached ??= begun;

        if (_attached is { } attached && _limits.Duration is { } duration && _finishing is null)
        {
            _sink.Progress(now - attached, duration, _merger?.Count ?? _count);
            if (now - attached >= duration)
                Finish(session);
        }

        if (_finishing is null)
            Tell(ending: false);

        if (_asked && _finishing is null)
            Finish(session);

        // An agent that was asked to stop and does not is ended by the session's disposal.
        if (_finishing is { } asked && now - asked > AgentProcess.Grace)
            session.Dispose();
    }

    private void Tell(bool ending)
    {
        if (_attached is { } attached && _limits.Silence?.Tell(_clock.Elapsed - attached, ending) is { } text)
            _sink.Warn(text);
    }

    private void Finish(AgentSession session)
    {
        _finishing ??= _clock.Elapsed;
        session.Finish();
    }

    private void TakeLog(AgentSession session)
    {
        while (session.TryTakeLog(out var line))
            Log(line);
    }

    private void Log(LogLine line)
    {
        _limits.Silence?.OnLog(line);
        if (line.Message == AgentWords.Attached)
            _attached ??= _clock.Elapsed;
        if (!_missing.Hold(line, Warn, _sink.Verbose))
            Show(line);
    }

    private void Show(LogLine line)
    {
        switch (line.Level)
        {
            case LogLevel.Debug:
                _sink.Debug(line.Text);
                break;
            case LogLevel.Info:
                _sink.Verbose(line.Text);
                break;
            case LogLevel.Error:
                // The last words of an agent belong to the error that ends the run, so wait and see.
                _errors.Add((_clock.Elapsed, line));
                break;
            default:
                Warn(line);
                break;
        }
    }

    private void Warn(LogLine line)
    {
        Warn(line.Kind, AgentWords.InParameters(line.Text, _command));
        if (line[LogLine.Remedy] is { Length: > 0 } remedy)
            Warn(remedy, $"Remedy: {remedy}");
        if (line[LogLine.Evidence] is { Length: > 0 } evidence)
            _sink.Verbose($"{line.Message}: {evidence}");
    }

    private void Warn(string kind, string text)
    {
        if (_limiter.Allow(kind, (long)_clock.Elapsed.TotalMilliseconds, out var held))
            _sink.Warn(held == 0 ? text : $"{text} ({held} more like this)");
    }

    private void Say(IEnumerable<LogLine> lines, AgentException? outcome)
    {
        foreach (var line in lines)
        {
            var text = AgentWords.InParameters(line.Text, _command);
            if (outcome is null || !outcome.Message.Contains(line.Error.Length > 0 ? AgentWords.InParameters(line.Error, _command) : text, StringComparison.Ordinal))
                _sink.Report(new AgentException(AgentFault.AgentError, text, "The agent goes on without it; see its log with -Verbose and -Debug.", _command.Path));
        }
    }

    private void Bad(StreamError error)
    {
        var where = string.Create(CultureInfo.InvariantCulture, $"Line {error.Line} of the stream: {error.Message}: '{error.Excerpt}'");
        switch (error.Kind)
        {
            case StreamErrorKind.UnknownType:
                _sink.Debug(where);
                return;
            case StreamErrorKind.UnsupportedVersion:
                throw new AgentException(AgentFault.StreamVersionNotSupported, where, "Use an agent and a module of the same release.", error);
            case StreamErrorKind.MissingHeader:
                throw Unreadable(where, error);
            default:
                break;
        }

        if (_begun is null || ++_badLines > BadLineLimit)
            throw Unreadable(where, error);

        var fault = error.Kind == StreamErrorKind.TooLong ? AgentFault.StreamLineTooLong : AgentFault.StreamLineInvalid;
        _sink.Report(new AgentException(fault, where, "The line is left out; the others are read. If it happens again, report it with the line.", error));
    }

    private AgentException Unreadable(string where, StreamError error) => new(AgentFault.StreamInvalid,
        _badLines > BadLineLimit ? $"Gave up after {BadLineLimit} bad lines. {where}" : where,
        $"Check with --version that '{_command.Path}' is the beyla agent of this module's version.", error);

    private void Sum(AgentCounters counters)
    {
        if (counters.Lost > 0)
        {
            var places = counters.Places.Where(p => p.Lost > 0).Select(p => $"{p.Lost} {Visible.Text(p.Unit)} at {Visible.Text(p.Place)}");
            Warn("lost", $"The agent lost {string.Join(", ", places)}: results are incomplete.");
        }

        _sink.Summary(counters);
    }
}

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
    Type Wanted, TimeSpan? Duration = null, long? MaximumCount = null, Predicate<object>? Filter = null, bool Merge = false,
    ISilence? Silence = null);

/// <summary>
/// Runs the agent and hands its results to a sink until time, number, agent or caller end it. Everything happens on
/// the caller's thread.
/// </summary>
public sealed class AgentRun
{
    /// <summary>An agent that has begun no stream by then is given up.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    private const int BadLineLimit = 100;

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(100);

    private readonly AgentCommand command;
    private readonly RunLimits limits;
    private readonly IRunSink sink;
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly LogTeller log;
    private readonly TimeSpan startLimit;
    private readonly FlowMerger? merger;
    private readonly MissingList missing = new();
    private TimeSpan? begun;
    private TimeSpan? attached;
    private TimeSpan? finishing;
    private long count;
    private long badLines;
    private volatile bool asked;

    /// <summary>Prepares a run.</summary>
    public AgentRun(AgentCommand command, RunLimits limits, IRunSink sink, TimeSpan? startLimit = null)
    {
        (this.command, this.limits, this.sink) = (command, limits, sink);
        this.startLimit = startLimit ?? StartLimit;
        log = new LogTeller(command, sink);
        merger = limits.Merge ? new FlowMerger() : null;
    }

    /// <summary>Whether <see cref="RequestFinish"/> was called.</summary>
    public bool WasAsked => this.asked;

    /// <summary>
    /// Asks for an orderly end: the agent stops, and what it still has to say is handed on. Any thread may call it; returns at once.
    /// </summary>
    public void RequestFinish() => this.asked = true;

    /// <summary>Runs until the end. Whatever ends it, the agent is gone when this returns.</summary>
    /// <exception cref="AgentException">The agent could not be started or failed, or its stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public void Run(CancellationToken stop)
    {
        this.sink.Verbose($"Starting {this.command}");
        using var session = AgentSession.Start(this.command);
        while (!session.IsCompleted)
        {
            if (session.TryTake(out var batch, Turn, stop))
            {
                foreach (var item in batch)
                {
                    Take(session, item);
                }
            }

            TakeLog(session);
            Check(session);
        }

        foreach (var flow in merger?.Flows ?? [])
        {
            Emit(session, flow);
        }

        var outcome = session.Outcome(this.begun is not null);
        TakeLog(session);
        missing.End(this.sink.Verbose);
        if (outcome is null && this.limits.Duration is not null && !this.asked)
        {
            Tell(ending: true);
        }

        log.End(outcome, session.LogLinesDropped);
        if (outcome is not null)
        {
            throw outcome;
        }
    }

    private void Take(AgentSession session, object item)
    {
        switch (item)
        {
            case StreamHeader header:
                this.begun = clock.Elapsed;
                this.sink.Verbose($"Agent {Visible.Text(header.Agent)} runs as process {session.ProcessId}.");
                break;
            case AgentCounters counters:
                Sum(counters);
                break;
            case StreamError error:
                Bad(error);
                break;
            default:
                // Whatever the agent saw, it is attached.
                this.attached ??= clock.Elapsed;
                if (this.limits.Wanted.IsInstanceOfType(item) && this.limits.Filter?.Invoke(item) != false)
                {
                    Keep(session, item);
                }

                break;
        }
    }

    private void Keep(AgentSession session, object value)
    {
        if (merger is not null && value is Flow flow)
        {
            merger.Add(flow);
        }
        else
        {
            Emit(session, value);
        }
    }

    private void Emit(AgentSession session, object value)
    {
        if (count == this.limits.MaximumCount)
        {
            return;
        }

        count++;
        this.limits.Silence?.OnResult(value);
        this.sink.Emit(value);
        if (count == this.limits.MaximumCount)
        {
            Finish(session);
        }
    }

    private void Check(AgentSession session)
    {
        var now = clock.Elapsed;
        if (this.begun is null && now > this.startLimit && !session.IsCompleted)
        {
            throw new AgentException(AgentFault.AgentSilent,
                string.Create(CultureInfo.InvariantCulture,
                    $"The agent '{this.command.Path}' began no stream within {this.startLimit.TotalSeconds:0.#} s."),
                $"Run it by hand to see what it waits for: {this.command}", this.command.Path);
        }

        log.TellErrors();
        // An agent whose log does not come through never says that it is attached.
        if (this.begun is { } begun && now - begun > this.startLimit)
        {
            this.attached ??= begun;
        }

        if (this.attached is { } attached && this.limits.Duration is { } duration && finishing is null)
        {
            this.sink.Progress(now - attached, duration, merger?.Count ?? count);
            if (now - attached >= duration)
            {
                Finish(session);
            }
        }

        if (finishing is null)
        {
            Tell(ending: false);
        }

        if (this.asked && finishing is null)
        {
            Finish(session);
        }

        // An agent that was asked to stop and does not is ended by the session's disposal.
        if (finishing is { } asked && now - asked > AgentProcess.Grace)
        {
            session.Dispose();
        }
    }

    private void Tell(bool ending)
    {
        if (this.attached is { } attached && this.limits.Silence?.Tell(clock.Elapsed - attached, ending) is { } text)
        {
            this.sink.Warn(text);
        }
    }

    private void Finish(AgentSession session)
    {
        finishing ??= clock.Elapsed;
        session.Finish();
    }

    private void TakeLog(AgentSession session)
    {
        while (session.TryTakeLog(out var line))
        {
            Log(line);
        }
    }

    private void Log(LogLine line)
    {
        this.limits.Silence?.OnLog(line);
        if (line.Message == AgentWords.Attached)
        {
            this.attached ??= clock.Elapsed;
        }

        if (!missing.Hold(line, log.Warn, this.sink.Verbose))
        {
            log.Show(line);
        }
    }

    private void Bad(StreamError error)
    {
        var where = string.Create(CultureInfo.InvariantCulture, $"Line {error.Line} of the stream: {error.Message}: '{error.Excerpt}'");
        switch (error.Kind)
        {
            case StreamErrorKind.UnknownType:
                this.sink.Debug(where);
                return;
            case StreamErrorKind.UnsupportedVersion:
                throw new AgentException(
                    AgentFault.StreamVersionNotSupported, where, "Use an agent and a module of the same release.", error);
            case StreamErrorKind.MissingHeader:
                throw Unreadable(where, error);
            default:
                break;
        }

        if (this.begun is null || ++badLines > BadLineLimit)
        {
            throw Unreadable(where, error);
        }

        var fault = error.Kind == StreamErrorKind.TooLong ? AgentFault.StreamLineTooLong : AgentFault.StreamLineInvalid;
        this.sink.Report(new AgentException(
            fault, where, "The line is left out; the others are read. If it happens again, report it with the line.", error));
    }

    private AgentException Unreadable(string where, StreamError error) => new(AgentFault.StreamInvalid,
        badLines > BadLineLimit ? $"Gave up after {BadLineLimit} bad lines. {where}" : where,
        $"Check with --version that '{this.command.Path}' is the beyla agent of this module's version.", error);

    private void Sum(AgentCounters counters)
    {
        if (counters.Lost > 0)
        {
            var places = counters.Places.Where(p => p.Lost > 0).Select(p => $"{p.Lost} {Visible.Text(p.Unit)} at {Visible.Text(p.Place)}");
            log.Warn("lost", $"The agent lost {string.Join(", ", places)}: results are incomplete.");
        }

        this.sink.Summary(counters);
    }
}

using System.Globalization;
using System.Management.Automation;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Jobs;

/// <summary>
/// A trace or an observation in the background. Receive-Job, Stop-Job, Wait-Job and Remove-Job work as with every job. When nobody
/// receives, results wait here up to a limit, then in the agent, which drops and counts.
/// </summary>
public sealed class AgentJob : Job, IRunSink
{
    /// <summary>Results that wait to be received at most.</summary>
    public const int Room = 100_000;

    private readonly CancellationTokenSource stop = new();
    private readonly AgentRun run;
    private readonly Thread thread;

    /// <summary>Prepares a job; <see cref="Start"/> starts it.</summary>
    /// <param name="line">The command as the user typed it.</param>
    /// <param name="command">What to run.</param>
    /// <param name="limits">When it ends.</param>
    public AgentJob(string line, AgentCommand command, RunLimits limits)
        : base(line)
    {
        PSJobTypeName = "BeylaJob";
        run = new AgentRun(command, limits, this);
        thread = new Thread(Work) { IsBackground = true, Name = "Beyla job" };
    }

    /// <inheritdoc/>
    public override bool HasMoreData =>
        Output.Count > 0 || Error.Count > 0 || Warning.Count > 0 || Verbose.Count > 0 || Debug.Count > 0 || Information.Count > 0
        || !IsFinished;

    /// <inheritdoc/>
    public override string Location => Environment.MachineName;

    /// <inheritdoc/>
    public override string StatusMessage => string.Create(CultureInfo.InvariantCulture, $"{Output.Count} results wait");

    private bool IsFinished => JobStateInfo.State is JobState.Completed or JobState.Failed or JobState.Stopped;

    /// <summary>Starts the agent.</summary>
    public void Start()
    {
        SetJobState(JobState.Running);
        thread.Start();
    }

    /// <summary>
    /// Ends the agent in order: what it had still to say can be received. Returns when it is gone, after 2 s at the latest.
    /// </summary>
    public override void StopJob()
    {
        run.RequestFinish();
        if (thread.IsAlive && !thread.Join(AgentProcess.Grace))
        {
            stop.Cancel();
        }

        thread.Join(AgentProcess.Grace);
    }

    void IRunSink.Emit(object value)
    {
        while (Output.Count >= Room && !run.WasAsked)
        {
            if (stop.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(20)))
            {
                return;
            }
        }

        Output.Add(PSObject.AsPSObject(value));
    }

    void IRunSink.Warn(string text) => Warning.Add(new WarningRecord(text));

    void IRunSink.Verbose(string text) => Verbose.Add(new VerboseRecord(text));

    void IRunSink.Debug(string text) => Debug.Add(new DebugRecord(text));

    void IRunSink.Report(AgentException problem) => Error.Add(problem.ToErrorRecord());

    void IRunSink.Summary(AgentCounters counters)
    {
        var record = new InformationRecord(counters, "Beyla");
        record.Tags.Add(Commands.CmdletRun.SummaryTag);
        Information.Add(record);
    }

    void IRunSink.Progress(TimeSpan elapsed, TimeSpan total, long count)
    {
        // Receive-Job would print each step.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stop.Cancel();
            if (thread.IsAlive)
            {
                thread.Join(AgentProcess.Grace + AgentProcess.Grace);
            }
        }

        base.Dispose(disposing);
    }

    private void Work()
    {
        try
        {
            run.Run(stop.Token);
            SetJobState(run.WasAsked ? JobState.Stopped : JobState.Completed);
        }
        catch (OperationCanceledException)
        {
            SetJobState(JobState.Stopped);
        }
        catch (AgentException error)
        {
            Error.Add(error.ToErrorRecord());
            SetJobState(JobState.Failed);
        }
        catch (Exception error) when (error is ObjectDisposedException or PSInvalidOperationException)
        {
            // Removed by force while it ran: there is no state left to tell.
        }
        catch (Exception error)
        {
            // What escapes a thread would end the shell of the user.
            Error.Add(new ErrorRecord(error, "JobFailed", ErrorCategory.NotSpecified, this));
            SetJobState(JobState.Failed);
        }
    }
}

using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Jobs;

namespace Beyla.PowerShell.Commands;

/// <summary>Runs the agent for a cmdlet: in the pipeline, or as a job.</summary>
internal sealed class CmdletRun : IRunSink
{
    /// <summary>The tag of the information record that carries the final counters.</summary>
    internal const string SummaryTag = "Beyla.Summary";

    private readonly PSCmdlet cmdlet;
    private readonly bool showProgress;

    /// <summary>What comes goes into the streams of a cmdlet.</summary>
    /// <param name="cmdlet">The cmdlet.</param>
    /// <param name="showProgress">Whether it shows how far it is.</param>
    internal CmdletRun(PSCmdlet cmdlet, bool showProgress) => (this.cmdlet, this.showProgress) = (cmdlet, showProgress);

    /// <summary>Runs until the end, or starts a job and writes it.</summary>
    /// <exception cref="AgentException">The agent could not be started or failed.</exception>
    internal static void Start(
        PSCmdlet cmdlet, AgentCommand command, RunLimits limits, bool asJob, bool showProgress, CancellationToken stop)
    {
        if (asJob)
        {
            var job = new AgentJob(cmdlet.MyInvocation.Line.Trim(), command, limits);
            cmdlet.JobRepository.Add(job);
            job.Start();
            cmdlet.WriteObject(job);
            return;
        }

        var run = new CmdletRun(cmdlet, showProgress);
        new AgentRun(command, limits, run).Run(stop);
        run.EndProgress();
    }

    /// <inheritdoc/>
    public void Emit(object value) => this.cmdlet.WriteObject(value);

    /// <inheritdoc/>
    public void Warn(string text) => this.cmdlet.WriteWarning(text);

    /// <inheritdoc/>
    public void Verbose(string text) => this.cmdlet.WriteVerbose(text);

    /// <inheritdoc/>
    public void Debug(string text) => this.cmdlet.WriteDebug(text);

    /// <inheritdoc/>
    public void Report(AgentException problem) => this.cmdlet.WriteError(problem.ToErrorRecord());

    /// <inheritdoc/>
    public void Summary(AgentCounters counters) => this.cmdlet.WriteInformation(counters, [SummaryTag]);

    /// <inheritdoc/>
    public void Progress(TimeSpan elapsed, TimeSpan total, long count)
    {
        if (this.showProgress)
        {
            this.cmdlet.WriteProgress(Record(elapsed, total));
        }
    }

    private static ProgressRecord Record(TimeSpan elapsed, TimeSpan total) =>
        new(0, "Observing network flows", $"{elapsed.TotalSeconds:0} of {total.TotalSeconds:0} s")
        {
            PercentComplete = (int)Math.Clamp(100 * elapsed / total, 0, 100),
            SecondsRemaining = (int)Math.Max((total - elapsed).TotalSeconds, 0),
        };

    private void EndProgress()
    {
        if (!this.showProgress)
        {
            return;
        }

        var done = Record(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        done.RecordType = ProgressRecordType.Completed;
        this.cmdlet.WriteProgress(done);
    }
}

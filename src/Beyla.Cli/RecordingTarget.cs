using Beyla.Agent.Configuration;
using Beyla.Agent.Spans;

namespace Beyla.Cli;

/// <summary>Where a recording goes: <see cref="Stages"/> take its spans, then <see cref="Complete"/> is called once.</summary>
internal abstract class RecordingTarget : IDisposable
{
    /// <summary>What it is, in a message.</summary>
    public abstract string Name { get; }

    /// <summary>Why spans are lost; empty where none is.</summary>
    public abstract string LossReason { get; }

    /// <summary>Take the spans, on the thread that reads.</summary>
    public abstract IReadOnlyList<IExportStage> Stages { get; }

    /// <summary>Begins.</summary>
    /// <param name="kind">What the recording becomes.</param>
    /// <param name="configuration">What is configured.</param>
    /// <param name="signals">Is told when there is nobody left to write for.</param>
    /// <param name="stop">Cancelled when nobody waits for the end any more.</param>
    /// <exception cref="ConfigurationException">What is asked for is not configured, or a certificate cannot be used.</exception>
    public static RecordingTarget Make(
        ExportKind kind, AgentConfiguration configuration, StopSignals signals, CancellationToken stop) => kind switch
        {
            ExportKind.Prometheus => new RecordingPage(configuration),
            _ => new RecordingRequests(kind, configuration, signals, stop),
        };

    /// <summary>Does what is due while nothing comes.</summary>
    /// <returns>Milliseconds after which it is to be called again at the latest.</returns>
    public virtual int Idle()
    {
        var (now, due) = (Environment.TickCount64, long.MaxValue);
        foreach (var stage in Stages)
        {
            due = Math.Min(due, stage.Tick(now));
        }

        return (int)Math.Clamp(due - now, 0, int.MaxValue);
    }

    /// <summary>All spans have come: returns when all are delivered or given up.</summary>
    /// <param name="stop">Ends the wait.</param>
    public abstract void Complete(CancellationToken stop);

    /// <summary>What became of the spans, when it is complete.</summary>
    public abstract (long Delivered, long Lost, long Filtered) Count();

    /// <inheritdoc/>
    public abstract void Dispose();
}

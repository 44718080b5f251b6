namespace Beyla.PowerShell.Agent;

/// <summary>Where the results of a run go: the pipeline of a cmdlet, or a job. Called by one thread only.</summary>
public interface IRunSink
{
    /// <summary>Hands on a result. May throw to end the run, as a stopped pipeline does.</summary>
    void Emit(object value);

    /// <summary>Something may be missing.</summary>
    void Warn(string text);

    /// <summary>A decision.</summary>
    void Verbose(string text);

    /// <summary>Evidence.</summary>
    void Debug(string text);

    /// <summary>An error that does not end the run.</summary>
    void Report(AgentException problem);

    /// <summary>The final counters.</summary>
    void Summary(AgentCounters counters);

    /// <summary>How far a run of known length has come.</summary>
    /// <param name="elapsed">Since it began.</param>
    /// <param name="total">Its length.</param>
    /// <param name="count">Results so far.</param>
    void Progress(TimeSpan elapsed, TimeSpan total, long count);
}

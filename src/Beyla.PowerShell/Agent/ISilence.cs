namespace Beyla.PowerShell.Agent;

/// <summary>Watches a run that gives nothing, and knows why that may be. Called by the thread of the run only.</summary>
public interface ISilence
{
    /// <summary>The agent said something in its log.</summary>
    void OnLog(LogLine line);

    /// <summary>A result was handed on.</summary>
    void OnResult(object value);

    /// <summary>What to tell the user now; null for nothing, and after it was told once.</summary>
    /// <param name="attached">Time since the agent sees what happens.</param>
    /// <param name="ending">Whether the run is at its end.</param>
    string? Tell(TimeSpan attached, bool ending);
}

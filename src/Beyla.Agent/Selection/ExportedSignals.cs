namespace Beyla.Agent.Selection;

/// <summary>What leaves the agent of a service (<c>discovery.instrument[].exports</c>).</summary>
[Flags]
public enum ExportedSignals : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Metrics of its spans and of its processes.</summary>
    Metrics = 1,

    /// <summary>Spans.</summary>
    Traces = 2,

    /// <summary>Both.</summary>
    All = Metrics | Traces,
}

namespace Beyla.Agent.Tracing;

/// <summary>Whether a stream is of a protocol.</summary>
public enum Confirmation
{
    /// <summary>It is not.</summary>
    No,

    /// <summary>More of it has to be seen.</summary>
    Undecided,

    /// <summary>It is.</summary>
    Yes,
}

namespace Beyla;

/// <summary>How much a line of the agent's log matters.</summary>
public enum LogLevel : byte
{
    /// <summary>Evidence.</summary>
    Debug,

    /// <summary>Decisions.</summary>
    Info,

    /// <summary>Something may be missing or wrong.</summary>
    Warn,

    /// <summary>Something does not work.</summary>
    Error,
}

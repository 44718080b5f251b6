namespace Beyla.Agent.Tracing;

/// <summary>What a protocol says of the first bytes of a connection (<see cref="IProtocol.Confirm"/>).</summary>
public enum Confirmation : byte
{
    /// <summary>They are not its own.</summary>
    No = 0,

    /// <summary>They may become its own: more bytes are needed.</summary>
    Undecided,

    /// <summary>They are its own.</summary>
    Yes,
}

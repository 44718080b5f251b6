namespace Beyla;

/// <summary>The first line of a stream (line type <c>stream</c>): who speaks, and in which version.</summary>
public sealed class StreamHeader
{
    /// <summary>Version of the stream, see <see cref="StreamNames.Version"/>.</summary>
    public int Version { get; init; }

    /// <summary>Version of the agent: <c>0.1.0</c>.</summary>
    public string Agent { get; init; } = "";

    /// <summary>Process id of the agent.</summary>
    public int ProcessId { get; init; }

    /// <summary>When the agent began to write.</summary>
    public DateTimeOffset Start { get; init; }
}

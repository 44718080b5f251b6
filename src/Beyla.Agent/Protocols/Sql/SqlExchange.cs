using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Sql;

/// <summary>A statement that was found, and what came back. The text is kept by the conversation.</summary>
internal sealed class SqlExchange : Exchange
{
    /// <summary>A response has begun.</summary>
    public bool HasResponse => LastSeen != 0;
}

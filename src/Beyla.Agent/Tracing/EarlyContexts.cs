namespace Beyla.Agent.Tracing;

/// <summary>Contexts of the first messages of connections, which come before anything else that is told of those.</summary>
internal sealed class EarlyContexts
{
    /// <summary>The message comes right after its context: more of them at a time are those of messages that were lost.</summary>
    private const int MaxContexts = 1024;

    private readonly Dictionary<ulong, MessageContext> contexts = new(MaxContexts);

    /// <summary>Keeps one.</summary>
    /// <param name="connection">Identity of the connection.</param>
    /// <param name="context">Of its first message.</param>
    public void Keep(ulong connection, in MessageContext context)
    {
        if (contexts.Count >= MaxContexts)
        {
            contexts.Clear();
        }

        contexts[connection] = context;
    }

    /// <summary>Takes out that of a connection, whose first message is there now.</summary>
    /// <returns>Nothing (<see cref="MessageContext.SpanId"/> 0) when there is none.</returns>
    public MessageContext Take(ulong connection) =>
        contexts.Count > 0 && contexts.Remove(connection, out var context) ? context : default;
}

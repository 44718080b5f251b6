namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// Marks the threads that may read what can wait: files and memory of processes that anybody may have started. The
/// event loop is none of them, and a call that strays there is an error that each test of it meets.
/// </summary>
internal static class AsideThread
{
    [ThreadStatic]
    private static int depth;

    /// <summary>Marks the calling thread until the result is disposed on it.</summary>
    internal static Scope Enter()
    {
        depth++;
        return default;
    }

    /// <exception cref="InvalidOperationException">The calling thread is not marked.</exception>
    internal static void Demand()
    {
        if (depth == 0)
        {
            throw new InvalidOperationException(
                "This thread must not read files of processes: it could wait for ever. Submit an inspection instead.");
        }
    }

    /// <summary>Takes the mark away.</summary>
    internal readonly struct Scope : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => depth--;
    }
}

namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// Told of which processes a thread tells what it works on, for whoever has to know that while a call is being made: the kernel side, which
/// passes trace context on. One thread.
/// </summary>
public interface IThreadRule
{
    /// <summary>The threads of a process say nothing about its calls.</summary>
    /// <param name="pid">Thread group id in the initial pid namespace.</param>
    void Forbid(int pid);

    /// <summary>Nothing is known against it: the process is a new one.</summary>
    /// <param name="pid">Thread group id in the initial pid namespace.</param>
    void Allow(int pid);
}

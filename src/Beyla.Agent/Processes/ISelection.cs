namespace Beyla.Agent.Processes;

/// <summary>
/// What the kernel side is told about who is traced (bpf/include/selection.h). Plain memory writes: no system call, no capability.
/// All pids are thread group ids in the initial pid namespace.
/// </summary>
public interface ISelection
{
#pragma warning disable CA1716 // A keyword of Visual Basic; the noun of the room is selection.
    /// <summary>Traces the process, and from now on every child that it forks.</summary>
    void Select(int pid);
#pragma warning restore CA1716

    /// <summary>
    /// Traces the process no longer, unless the kernel side selected it by an event that is yet to be read (<see cref="Heard"/>). Its
    /// traffic on a selected port is still captured.
    /// </summary>
    void Deselect(int pid);

    /// <summary>An event of the watcher was read; call it before what it says is judged.</summary>
    /// <param name="pid">The process that it is about.</param>
    /// <param name="time">CLOCK_MONOTONIC in ns, as the event has it.</param>
    void Heard(int pid, ulong time);

    /// <summary>Never traces the process, not even on a selected port, until it ends.</summary>
    void Exclude(int pid);

    /// <summary>Takes back <see cref="Exclude"/>.</summary>
    void Include(int pid);

    /// <summary>
    /// Captures what is sent and received from this local port, whoever owns the socket, and selects who begins to listen on it.
    /// </summary>
    void SelectPort(int port);

    /// <summary>Whether the process is traced at this moment.</summary>
    bool IsSelected(int pid);

    /// <summary>
    /// How many events the kernel side could not tell of; it wraps. Whoever sees it change looks at /proc (<see cref="Reconciliation"/>).
    /// </summary>
    uint Lost { get; }
}

/// <summary>The selection that the loaded programs look at.</summary>
public sealed class KernelSelection(Kernel.SelectionMap map) : ISelection
{
    /// <inheritdoc/>
    public void Select(int pid) => map.Select(pid);

    /// <inheritdoc/>
    public void Deselect(int pid) => map.Deselect(pid);

    /// <inheritdoc/>
    public void Heard(int pid, ulong time) => map.Heard(pid, time);

    /// <inheritdoc/>
    public void Exclude(int pid) => map.Exclude(pid);

    /// <inheritdoc/>
    public void Include(int pid) => map.Include(pid);

    /// <inheritdoc/>
    public void SelectPort(int port) => map.SelectPort(port);

    /// <inheritdoc/>
    public bool IsSelected(int pid) => map.IsSelected(pid);

    /// <inheritdoc/>
    public uint Lost => map.Lost;
}

using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes;
using Beyla.Agent.Selection;
using SocketSource = Beyla.Agent.Kernel.SocketSource;

namespace Beyla.Cli;

/// <summary>The programs of application observability, loaded and attached as the configuration asks. The keeper's part of it.</summary>
internal sealed class ApplicationPrograms : IDisposable
{
    private ApplicationPrograms(
        StartedNames? names, Watcher watcher, SocketSource source, ContextPassing? passing, GoWritePrograms? goWriter)
    {
        (Names, Watcher, Source, Passing, WritesGoHeaders) = (names, watcher, source, passing, goWriter is not null);
        Go = new GoPrograms(watcher.Selection, source, goWriter);
    }

    /// <summary>Names that processes were started with; null where the kernel does not keep them, or nobody asks.</summary>
    public StartedNames? Names { get; }

    /// <summary>Tells of processes; owns the selection.</summary>
    public Watcher Watcher { get; }

    /// <summary>Tells of what sockets send and receive.</summary>
    public SocketSource Source { get; }

    /// <summary>Passes trace context on; null where that is not done.</summary>
    public ContextPassing? Passing { get; }

    /// <summary>Whether headers are written into requests of Go programs.</summary>
    public bool WritesGoHeaders { get; }

    /// <summary>Goroutines, and probes in Go programs.</summary>
    public GoPrograms Go { get; }

    /// <summary>Loads and attaches.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static ApplicationPrograms Load(AgentConfiguration configuration)
    {
        using var raised = Privilege.Raise(Permissions.Tracing);
        var ways = configuration.ContextPropagation;
        var groups = ContextPassing.FindGroups(ways);
        var needs = new SelectionNeeds(configuration.Selection);
        // First: when the watcher tells of a process, its name is there.
        var names = needs.Ports || needs.EveryExec ? OpenNames() : null;
        Watcher? watcher = null;
        SocketSource? source = null;
        ContextPassing? passing = null;
        GoWritePrograms? goWriter = null;
        try
        {
            watcher = Watcher.Open(new WatcherNeeds
            {
                EveryExec = needs.EveryExec, JudgeListeners = needs.JudgeListeners, Ports = needs.PortsMentioned(),
            });
            var mayWrite = GoHeaders.MayWrite(ways);
            source = OpenSockets(configuration, watcher, groups is null ? ContextPropagation.Disabled : ways, mayWrite);
            passing = groups is null ? null : ContextPassing.Open(ways, source, watcher.Selection, groups);
            if (passing is null && groups is not null)
            {
                Reopen(mayWrite);
            }

            goWriter = GoHeaders.Open(ways, source, watcher.Selection, isOnlyWay: passing is null);
            if (passing is null && goWriter is null && mayWrite)
            {
                Reopen(settlesContexts: false);
            }

            return new ApplicationPrograms(names, watcher, source, passing, goWriter);
        }
        catch
        {
            goWriter?.Dispose();
            passing?.Dispose();
            source?.Dispose();
            watcher?.Dispose();
            names?.Dispose();
            throw;
        }

        // What nobody is told must not be settled when it is sent: later more is known.
        void Reopen(bool settlesContexts)
        {
            source.Dispose();
            source = null;
            source = OpenSockets(configuration, watcher, ContextPropagation.Disabled, settlesContexts);
        }
    }

    /// <summary>Takes what sees and changes messages off the kernel. What was written can still be read.</summary>
    public void Detach()
    {
        Passing?.Detach();
        Source.Detach();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Go.Dispose();
        Passing?.Dispose();
        Source.Dispose();
        Watcher.Dispose();
        Names?.Dispose();
    }

    /// <param name="configuration">Which source.</param>
    /// <param name="watcher">Whose selection is shared.</param>
    /// <param name="ways">How contexts travel from control groups.</param>
    /// <param name="settlesContexts">Whether headers of Go programs may be written.</param>
    private static SocketSource OpenSockets(
        AgentConfiguration configuration, Watcher watcher, ContextPropagation ways, bool settlesContexts) =>
        SocketSource.Open(
            configuration.SocketSource, watcher.Selection, configuration.RingSize, configuration.DetectsSql, ways,
            static (kind, failure) => Log.Debug(
                "The kernel does not take this socket source",
                ("source", kind.ToString()), ("error", failure.Message), ("log", failure.Log)),
            settlesContexts);

    /// <summary>An old kernel has not what it takes; then names come from /proc alone.</summary>
    private static StartedNames? OpenNames()
    {
        try
        {
            return StartedNames.Open();
        }
        catch (KernelException failure)
        {
            Log.Debug("The kernel does not keep names of processes", ("error", failure.Message), ("log", failure.Log));
            return null;
        }
    }
}

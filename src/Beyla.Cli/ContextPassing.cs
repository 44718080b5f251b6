using System.Text;
using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using SocketSource = Beyla.Agent.Kernel.SocketSource;

namespace Beyla.Cli;

/// <summary>
/// Passes trace context on to the next hop, in the control groups of traced processes and nowhere else. What the kernel refuses is said
/// once and left out: tracing goes on without it.
/// </summary>
internal sealed class ContextPassing : IDisposable
{
    private const string NotPassed = "Trace context is not passed on";

    /// <summary>Names that the worker gives are kept, and said, up to this many: far more than a host has refusals.</summary>
    private const int MaximumRefused = 1024;

    private static readonly CapabilitySet Needed = Permissions.Tracing.With(Capability.NetAdmin);

    private readonly PropagationPrograms programs;
    private readonly HashSet<string> refused = [];
    private readonly Lock gate = new();

    private ContextPassing(PropagationPrograms programs) => this.programs = programs;

    /// <summary>Where control groups are mounted; null where nothing is passed on, or where there are none, which is said.</summary>
    public static string? FindGroups(ContextPropagation ways)
    {
        if (ways == ContextPropagation.Disabled)
        {
            return null;
        }

        var mount = ControlGroups.FindMount();
        if (mount is null)
        {
            Log.Warn(
                NotPassed,
                ("error", "control groups of version 2 are not mounted"),
                ("fix", "mount -t cgroup2 none /sys/fs/cgroup, and in a container mount the host's"));
        }

        return mount;
    }

    /// <summary>Loads the programs; null where the kernel refuses, which is said.</summary>
    public static ContextPassing? Open(ContextPropagation ways, SocketSource source, SelectionMap selection, string mount)
    {
        if (source.Kind == SocketSourceKind.Syscalls)
        {
            Log.Warn(
                NotPassed,
                ("error", "with the socket source syscalls a request is seen when it was sent"),
                ("fix", "a kernel and a policy that take the sources tracepoints or fentry"));
            return null;
        }

        try
        {
            using var raised = Privilege.Raise(Needed);
            return new ContextPassing(PropagationPrograms.Open(ways, source, selection, mount));
        }
        catch (KernelException refusal)
        {
            Log.Debug("The whole log of the kernel", ("log", refusal.Log));
            Log.Warn(NotPassed, ("error", refusal.Message), ("help", "beyla capability test --probe tells what is missing"));
            return null;
        }
    }

    /// <summary>A process of this group is traced: what it connects and accepts from now on passes contexts on.</summary>
    /// <param name="path">The control group, relative to the mount: UTF-8, <see cref="KeeperRequest.MaximumText"/> bytes at most.</param>
    /// <returns>False where that is so already, or refused, which is said once.</returns>
    public bool Include(ReadOnlySpan<byte> path)
    {
        Span<char> characters = stackalloc char[KeeperRequest.MaximumText];
        ReadOnlySpan<char> group = characters[..Encoding.UTF8.GetChars(path, characters)];
        lock (gate)
        {
            // For each process that is traced, and mostly known: no memory is taken for that.
            return refused.Count < MaximumRefused && !refused.GetAlternateLookup<ReadOnlySpan<char>>().Contains(group)
                && !programs.Covers(group) && Attach(group.ToString());
        }
    }

    /// <summary>Passes nothing on any more.</summary>
    public void Detach()
    {
        lock (gate)
        {
            programs.Detach();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => programs.Dispose();

    private bool Attach(string group)
    {
        try
        {
            using var raised = Privilege.Raise(Needed);
            if (!programs.Attach(group))
            {
                return false;
            }

            Log.Info("Passing trace context on", ("cgroup", group));
            return true;
        }
        catch (KernelException refusal)
        {
            _ = refused.Add(group);
            Log.Warn("Trace context is not passed on in a control group", ("cgroup", group), ("error", refusal.Message));
            return false;
        }
    }
}

using Beyla.Agent.Capabilities;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using SocketSource = Beyla.Agent.Kernel.SocketSource;

namespace Beyla.Cli;

/// <summary>
/// The last way to pass trace context on: the header is written into requests of Go programs, where no program of a control group puts it
/// in. What the kernel refuses is said once and left out.
/// </summary>
internal static class GoHeaders
{
    private const string NotWritten = "Headers are not written into requests of Go programs";

    private static readonly CapabilitySet Needed = Permissions.Tracing.With(Capability.SysAdmin);

    /// <summary>Whether headers are asked for, and this process was given what writing them takes.</summary>
    public static bool MayWrite(ContextPropagation ways) =>
        (ways & ContextPropagation.Headers) != 0 && Privilege.Permitted.Contains(Capability.SysAdmin);

    /// <summary>Loads the program; null where it is not to be, or where the kernel refuses, which is said.</summary>
    /// <param name="ways">How contexts travel.</param>
    /// <param name="source">The socket programs, which settle contexts if <see cref="MayWrite"/> says so.</param>
    /// <param name="selection">Who is traced.</param>
    /// <param name="isOnlyWay">Whether nothing else puts headers in.</param>
    public static GoWritePrograms? Open(ContextPropagation ways, SocketSource source, SelectionMap selection, bool isOnlyWay)
    {
        if (!MayWrite(ways))
        {
            if (isOnlyWay && (ways & ContextPropagation.Headers) != 0)
            {
                Log.Info(NotWritten, ("error", "CAP_SYS_ADMIN is not given to the agent"));
            }

            return null;
        }

        try
        {
            using var raised = Privilege.Raise(Needed);
            var programs = GoWritePrograms.Open(source, selection);
            Log.Info("Writing headers into requests of Go programs", ("which", isOnlyWay ? "all" : "after the first of a connection"));
            return programs;
        }
        catch (KernelException refusal)
        {
            Log.Debug("The whole log of the kernel", ("log", refusal.Log));
            Log.Info(
                NotWritten, ("error", refusal.Message), ("needs", "CAP_SYS_ADMIN, and none in /sys/kernel/security/lockdown"));
            return null;
        }
    }
}

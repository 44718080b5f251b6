using System.Globalization;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// Answers which local process a flow belongs to (bpf/owners.bpf.c). Needs CAP_BPF and CAP_PERFMON; without them
/// flows work and name no process. One thread.
/// </summary>
internal sealed class SocketOwners : IOwnerTable, IDisposable
{
    private const string State = "on_state", Send = "on_send", Files = "on_file";

    /// <summary>A walk over all open files may take at most this part of the time: one in so many.</summary>
    private const int IdleFactor = 50;

    private readonly BpfObject programs;
    private readonly BpfMap owners;
    private readonly List<BpfLink> links = [];
    private BpfIterator? files;
    private long walkAt;

    private SocketOwners(BpfObject programs)
    {
        this.programs = programs;
        owners = programs.Map("owners");
    }

    /// <summary>Loads and attaches, and finds the sockets that are open now.</summary>
    /// <param name="options">How many flows are to be expected.</param>
    /// <param name="host">Told why, when the answer is null.</param>
    /// <param name="refusal">The errno of it; 0 when it is not.</param>
    /// <returns>Null when the kernel refuses.</returns>
    internal static SocketOwners? TryOpen(NetworkConfiguration options, FlowHost host, out int refusal)
    {
        var errno = 0;
        using var raised = host.Raise();
        // The send tracepoint came with 6.3; without it UDP sockets are found while they are open.
        var result = TryOpen([State, Send, Files], options, host, ref errno) ?? TryOpen([State, Files], options, host, ref errno);
        refusal = result is null ? errno : 0;
        return result;
    }

    /// <inheritdoc/>
    public bool TryFind(in SocketKey socket, out SocketOwner owner) => owners.TryLookup(socket, out owner);

    /// <summary>Looks through all open sockets when it is not too soon.</summary>
    internal void Refresh()
    {
        if (files is null || Environment.TickCount64 < walkAt)
        {
            return;
        }

        var started = Environment.TickCount64;
        files.Run();
        var now = Environment.TickCount64;
        walkAt = now + Math.Max(1000, (now - started) * IdleFactor);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        files?.Dispose();
        links.ForEach(link => link.Dispose());
        programs.Dispose();
    }

    private static SocketOwners? TryOpen(string[] names, NetworkConfiguration options, FlowHost host, ref int refusal)
    {
        var programs = BpfObject.Open("owners");
        var result = new SocketOwners(programs);
        try
        {
            programs.Map("owners").MaxEntries = (uint)Math.Clamp(options.CacheMaxFlows * 4L, 16384, 262144);
            programs.SetConstants(NetworkNamespace());
            _ = programs.Select(names).Load();
            foreach (var name in names.Where(name => name != Files))
            {
                result.links.Add(programs.Program(name).Attach());
            }

            result.files = new BpfIterator(programs.Program(Files));
            result.files.Run();
            return result;
        }
        catch (KernelException exception)
        {
            refusal = exception.Errno;
            host.Debug($"flows: no process names by {string.Join(", ", names)}: {exception.Message}");
            result.Dispose();
            return null;
        }
    }

    /// <summary>The inode of the agent's network namespace.</summary>
    private static uint NetworkNamespace()
    {
        var target = File.ResolveLinkTarget("/proc/thread-self/ns/net", returnFinalTarget: false)?.Name ?? ""; // net:[4026531840]
        return uint.Parse(target.AsSpan(target.IndexOf('[') + 1).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture);
    }
}

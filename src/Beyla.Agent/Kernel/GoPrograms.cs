using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// The kernel side's view of Go: where traced processes keep their goroutines (map go_processes of the socket programs), and the probe of
/// bpf/go.bpf.c, which is loaded when the first program asks for it. Any thread; callers hold CAP_BPF, for the probe CAP_PERFMON too.
/// </summary>
/// <param name="selection">Where a process is marked.</param>
/// <param name="sockets">The loaded socket programs, whose maps are shared.</param>
/// <param name="writer">Writes trace context into requests; null where that is not done. Disposed with this.</param>
public sealed class GoPrograms(SelectionMap selection, SocketSource sockets, GoWritePrograms? writer = null) : IDisposable
{
    private readonly object gate = new();
    private BpfObject? probes;
    private KernelException? refusal;
    private bool disposed;

    /// <summary>Writes trace context into requests; null where that is not done.</summary>
    public GoWritePrograms? Writer => writer;

    /// <summary>Has the kernel side look at the goroutines of a process from now on.</summary>
    public void Begin(int pid, in GoOffsets offsets)
    {
        sockets.GoProcesses.Update(pid, offsets);
        selection.MarkGo(pid, true);
    }

    /// <summary>Ends that. Needs no capability: what stays in the map is not looked up.</summary>
    public void End(int pid) => selection.MarkGo(pid, false);

    /// <summary>Sets the probe on the place where net/http hands a request to a connection.</summary>
    /// <param name="path">The executable.</param>
    /// <param name="offset">Where in it; see <see cref="UprobeLink.Attach"/>.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public UprobeLink AttachRoundTrip(string path, long offset)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return UprobeLink.Attach(Load().Program("on_round_trip"), path, offset);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            probes?.Dispose();
            writer?.Dispose();
        }
    }

    private BpfObject Load()
    {
        if (refusal is not null)
        {
            throw refusal;
        }

        if (probes is not null)
        {
            return probes;
        }

        var loaded = BpfObject.Open("go");
        try
        {
            loaded.Map(SelectionMap.Name).ShareFrom(selection.Map);
            loaded.Map("go_processes").ShareFrom(sockets.GoProcesses);
            loaded.Map("go_calls").ShareFrom(sockets.GoCalls);
            loaded.Program("on_round_trip").SetAttachType(UprobeLink.AttachType);
            return probes = loaded.Load();
        }
        catch (KernelException failure)
        {
            loaded.Dispose();
            refusal = failure;
            throw;
        }
    }
}

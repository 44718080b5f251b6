using System.Globalization;
using Beyla.Agent.Capabilities;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes;

/// <summary>
/// The kernel side's view of Go: where traced processes keep their goroutines (map go_processes of the socket programs), and the probe of
/// bpf/go.bpf.c, which is loaded when the first program asks for it. Any thread. Raises CAP_BPF, and for a probe CAP_PERFMON too.
/// </summary>
/// <param name="selection">Where a process is marked.</param>
/// <param name="sockets">The loaded socket programs, whose maps are shared.</param>
/// <param name="writer">Writes trace context into requests; null where that is not done. Disposed with this.</param>
public sealed class GoPrograms(SelectionMap selection, SocketSource sockets, GoWritePrograms? writer = null)
    : IGoKernel, IDisposable
{
    private readonly object gate = new();
    private BpfObject? probes;
    private KernelException? refusal;
    private bool disposed;

    /// <inheritdoc/>
    public bool WritesHeaders => writer is not null;

    /// <inheritdoc/>
    public void Begin(int pid, in GoOffsets offsets)
    {
        Tell(pid, in offsets);
        selection.MarkGo(pid, true);
    }

    /// <summary>
    /// Tells the kernel side where a process keeps its goroutines; it looks when the process is marked (<see cref="SelectionMap"/>).
    /// </summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void Tell(int pid, in GoOffsets offsets)
    {
        using var raised = Privilege.Raise(Capability.Bpf);
        sockets.GoProcesses.Update(pid, offsets);
    }

    /// <inheritdoc/>
    public void Forget(int pid) => selection.MarkGo(pid, false);

    /// <inheritdoc/>
    public IDisposable Attach(IProcDesk? desk, int pid, int file, long roundTrip, long writeBody)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file}");
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            using var raised = Privilege.Raise(Capability.Bpf, Capability.Perfmon);
            var call = UprobeLink.Attach(Load().Program("on_round_trip"), path, roundTrip);
            try
            {
                return writeBody == 0 || writer is null ? call : new Both(call, writer.Attach(path, writeBody));
            }
            catch
            {
                call.Dispose();
                throw;
            }
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

    private sealed class Both(UprobeLink first, UprobeLink second) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            second.Dispose();
            first.Dispose();
        }
    }
}

using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Keeper;

/// <summary>
/// The kernel side's view of Go programs, by way of the keeper: it finds no place itself, and the worker attaches nothing.
/// </summary>
/// <param name="keeper">Is asked.</param>
/// <param name="selection">Where a process is marked.</param>
/// <param name="writesHeaders">Whether the program that does was loaded.</param>
public sealed class KeeperGo(KeeperConnection keeper, SelectionMap selection, bool writesHeaders) : IGoKernel
{
    /// <inheritdoc/>
    public bool WritesHeaders => writesHeaders;

    /// <inheritdoc/>
    public void Begin(int pid, in GoOffsets offsets)
    {
        keeper.BeginGo(pid, in offsets);
        selection.MarkGo(pid, true);
    }

    /// <inheritdoc/>
    public void Forget(int pid) => selection.MarkGo(pid, false);

    /// <inheritdoc/>
    public IDisposable Attach(IProcDesk? desk, int pid, int file, long roundTrip, long writeBody) =>
        desk is KeeperConnection own
            ? new Probes(keeper, own.AttachGo(pid, roundTrip, writeBody))
            : throw new KernelException("set a probe without a desk of the keeper", Errno.EINVAL);

    private sealed class Probes(KeeperConnection keeper, long number) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => keeper.DetachGo(number);
    }
}

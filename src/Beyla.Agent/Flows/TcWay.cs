using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>Classifiers on tcx, or on clsact where there is no tcx; which one is found by trying (ebpf.tc_backend).</summary>
internal sealed class TcWay : IFlowWay
{
    private const string Ingress = "flow_ingress", Egress = "flow_egress";

    /// <summary>
    /// Interfaces that <c>auto</c> takes by tcx. The kernel lets no network configuration happen while it attaches or
    /// detaches one link of tcx, and waits for all processors meanwhile: 15 ms, which two hundred interfaces would
    /// make six seconds at start and again at the end. On clsact there is no such wait.
    /// </summary>
    internal const int MostByTcx = 32;

    private readonly FlowPrograms programs;
    private readonly FlowDirections direction;
    private readonly bool mayFallBack;
    private readonly Action<string> debug;
    private ClsactFilters? clsact;
    private bool tcx;
    private int byTcx;
    private bool saidMost;

    /// <param name="programs">The loaded programs.</param>
    /// <param name="options">Backend and direction.</param>
    /// <param name="debug">Told which backend was taken, and why not the other.</param>
    internal TcWay(FlowPrograms programs, NetworkConfiguration options, Action<string> debug)
    {
        this.programs = programs;
        this.debug = debug;
        direction = options.Direction;
        tcx = options.TrafficControlBackend != TrafficControlBackend.Tc;
        mayFallBack = options.TrafficControlBackend == TrafficControlBackend.Auto;
    }

    /// <inheritdoc/>
    public string Name => !tcx ? "tc" : saidMost ? "tcx and tc" : "tcx";

    /// <inheritdoc/>
    public bool DetachesInParallel => false;

    /// <inheritdoc/>
    public IDisposable Attach(int interfaceIndex)
    {
        // Whatever the backend is now, a killed agent may have used the other one.
        clsact ??= new ClsactFilters();
        clsact.RemoveLeftovers(interfaceIndex);
        if (tcx && mayFallBack && byTcx >= MostByTcx)
        {
            if (!saidMost)
            {
                saidMost = true;
                debug($"more than {MostByTcx} interfaces, clsact for the others: tcx would take too long");
            }
        }
        else if (tcx)
        {
            try
            {
                var links = Both(interfaceIndex, static (program, index, egress) => TcxLink.Attach(program, index, egress));
                byTcx++;
                return new Attachments(links, new Leaving(() => byTcx--));
            }
            catch (KernelException exception) when (mayFallBack && exception.Errno == Errno.EINVAL)
            {
                debug($"no tcx on this kernel, clsact instead: {exception.Message}");
                tcx = false;
            }
        }

        return Both(interfaceIndex, clsact.Attach);
    }

    /// <inheritdoc/>
    public bool IsIntact(int interfaceIndex) => clsact?.IsIntact(interfaceIndex) ?? true;

    /// <inheritdoc/>
    public void Dispose() => clsact?.Dispose();

    private sealed class Leaving(Action leave) : IDisposable
    {
        public void Dispose() => leave();
    }

    private Attachments Both(int interfaceIndex, Func<BpfProgram, int, bool, IDisposable> attach)
    {
        var parts = new List<IDisposable>(2);
        try
        {
            if (direction != FlowDirections.Egress)
            {
                parts.Add(attach(programs.Program(Ingress), interfaceIndex, false));
            }

            if (direction != FlowDirections.Ingress)
            {
                parts.Add(attach(programs.Program(Egress), interfaceIndex, true));
            }

            return new Attachments([.. parts]);
        }
        catch
        {
            parts.ForEach(part => part.Dispose());
            throw;
        }
    }
}

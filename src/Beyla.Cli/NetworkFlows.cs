using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export;
using Beyla.Agent.Flows;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes;

namespace Beyla.Cli;

/// <summary>Network observability put together: the two halves that watch flows, their printer, their capabilities.</summary>
internal static class NetworkFlows
{
    /// <summary>Attaches and begins to report.</summary>
    /// <param name="configuration">What is configured.</param>
    /// <param name="keeper">Has loaded the programs.</param>
    /// <param name="sink">Takes the flows.</param>
    /// <param name="traced">The services of processes that are traced in the same agent; null where none are.</param>
    /// <returns>Null where nothing was loaded, which the keeper has said.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static FlowObserver? Start(
        AgentConfiguration configuration, KeeperConnection keeper, IFlowSink sink, ServiceSnapshot? traced)
    {
        if (KeeperFlows.Open(keeper) is not { } kernel)
        {
            return null;
        }

        var host = Host with
        {
            ServiceOf = pid => traced?.Find(pid),
            MakeReader = () => new ProcReader(keeper).Another(),
        };
        var flows = new FlowObserver(configuration.Network, sink, host, kernel);
        try
        {
            flows.Start();
            return flows;
        }
        catch
        {
            flows.Dispose();
            throw;
        }
    }

    /// <summary>Loads the programs. The keeper's part.</summary>
    /// <param name="network">What is configured.</param>
    /// <param name="capabilities">What the check at start found.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static FlowKeeper Load(NetworkConfiguration network, CapabilityReport capabilities)
    {
        var flows = new FlowKeeper(network, Host);
        try
        {
            if (!flows.KnowsProcesses)
            {
                WithoutProcesses(network, flows.ProcessRefusal, capabilities);
            }

            return flows;
        }
        catch
        {
            flows.Dispose();
            throw;
        }
    }

    private static FlowHost Host { get; } = new()
    {
        Raise = static () => Privilege.Raise(Permissions.Flows),
        Warn = static message => Log.Warn("Flows", ("warning", WithoutTopic(message))),
        Debug = static message => Log.Debug("Flows", ("decision", WithoutTopic(message))),
    };

    /// <summary>Says so, once; the end where the processes were asked for.</summary>
    private static void WithoutProcesses(NetworkConfiguration network, int refusal, CapabilityReport capabilities)
    {
        if (network.RequireProcess)
        {
            throw new KernelException("load the programs that tell the process of a flow, as network.require_process asks", refusal);
        }

        var missing = capabilities.Requirements.First(static requirement => requirement.Capability == Capability.Perfmon)
            is { State: CapabilityState.Missing } perfmon
            ? perfmon : null;
        List<LogField> fields =
        [
            ("error", missing is null ? $"load the programs that tell it: {Errno.Describe(refusal)}" : "CAP_PERFMON is missing"),
        ];
        if (missing is not null)
        {
            fields.Add(("fix", missing.Fix));
        }

        Log.Warn("Flows name no process and no service", [.. fields]);
    }

    /// <summary>How flows are seen, for the log.</summary>
    public static IEnumerable<LogField> Describe(FlowObserver flows) =>
    [
        ("flows", flows.Source),
        ("interfaces", flows.InterfaceCount),
        ("flow_processes", flows.KnowsProcesses ? "yes" : "no"),
    ];

    /// <summary>Objects of the JSON stream, or lines. Lines between objects would spoil the stream, so there is one printer.</summary>
    public static IFlowSink PrinterOf(AgentConfiguration configuration, OutputQueue output) => configuration.TracePrinter switch
    {
        TracePrinterKind.Json => new FlowPrinter(new FlowJson(), output),
        TracePrinterKind.JsonIndent => new FlowPrinter(new FlowJson(indent: true), output),
        _ when configuration.Network.PrintFlows => new FlowPrinter(new FlowText(), output),
        _ => new NoFlows(),
    };

    // The message of the line names the topic already.
    private static string WithoutTopic(string message) =>
        message.StartsWith("flows: ", StringComparison.Ordinal) ? message["flows: ".Length..] : message;

    private sealed class NoFlows : IFlowSink
    {
        /// <inheritdoc/>
        public void OnFlow(in FlowData flow)
        {
        }

        /// <inheritdoc/>
        public void Flush()
        {
        }
    }
}

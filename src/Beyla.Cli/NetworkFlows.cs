using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export;
using Beyla.Agent.Flows;
using Beyla.Agent.Kernel;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>Network observability put together: the flow observer, its printer, its capabilities.</summary>
internal static class NetworkFlows
{
    /// <summary>Loads, attaches and begins to report.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public static FlowObserver Start(AgentConfiguration configuration, OutputQueue output)
    {
        var host = new FlowHost
        {
            Privileged = static action =>
            {
                using var raised = Privilege.Raise(Permissions.Flows);
                action();
            },
            Warn = static message => Log.Warn("Flows", ("warning", WithoutTopic(message))),
            Debug = static message => Log.Debug("Flows", ("decision", WithoutTopic(message))),
        };
        var flows = new FlowObserver(configuration.Network, SinkOf(configuration, output), host);
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

    /// <summary>How flows are seen, for the log.</summary>
    public static IEnumerable<LogField> Describe(FlowObserver flows) =>
    [
        ("flows", flows.Source),
        ("interfaces", flows.InterfaceCount),
        ("flow_processes", flows.KnowsProcesses ? "yes" : "no"),
    ];

    /// <summary>Objects of the JSON stream, or lines. Lines between objects would spoil the stream, so there is one printer.</summary>
    private static IFlowSink SinkOf(AgentConfiguration configuration, OutputQueue output) => configuration.TracePrinter switch
    {
        TracePrinterKind.Json => new FlowPrinter(new FlowJson(), output),
        TracePrinterKind.JsonIndent => new FlowPrinter(new FlowJson(indent: true), output),
        _ when configuration.Network.PrintFlows => new FlowPrinter(new FlowText(), output),
        _ => new NoFlows(),
    };

    // The message of the line names the topic already.
    private static string WithoutTopic(string message) => message.StartsWith("flows: ", StringComparison.Ordinal) ? message["flows: ".Length..] : message;

    private sealed class NoFlows : IFlowSink
    {
        public void OnFlow(in FlowData flow)
        {
        }

        public void Flush()
        {
        }
    }
}

using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Jobs;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Commands;

/// <summary>Streams the requests that running processes serve and make, as spans.</summary>
[Cmdlet(VerbsLifecycle.Start, "BeylaTrace", DefaultParameterSetName = ByConfiguration)]
[OutputType(typeof(Span), typeof(AgentJob))]
public sealed class StartBeylaTraceCommand : SelectionCmdlet
{
    /// <summary>Ends the trace after this time, counted from its begin: 0:0:30, 30s, 5m. Without it the trace goes on until it is stopped.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan? Duration { get; set; }

    /// <summary>Ends the trace after so many spans.</summary>
    [Parameter]
    [Alias("MaxCount")]
    [ValidateRange(1, long.MaxValue)]
    public long? MaximumCount { get; set; }

    /// <summary>A request without an answer is reported after this time, with status 408. Without it such a request is reported when its connection ends.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan? RequestTimeout { get; set; }

    /// <summary>Looks for new requests every millisecond instead of every ten: spans come sooner, for more processor time.</summary>
    [Parameter]
    public SwitchParameter LowLatency { get; set; }

    /// <summary>Fails before anything is loaded when a capability is missing, instead of doing what is possible with a warning.</summary>
    [Parameter]
    public SwitchParameter EnforceCapability { get; set; }

    /// <summary>Traces in the background; the job's results are the spans.</summary>
    [Parameter]
    public SwitchParameter AsJob { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        var command = Configure(new AgentCommand(FindAgent(), [.. SettingArguments()]))
            .With("BEYLA_TRACE_PRINTER", "json")
            .With("BEYLA_NETWORK_METRICS", "0")
            .With("BEYLA_BPF_HTTP_REQUEST_TIMEOUT", RequestTimeout is { } timeout ? AgentCommand.Duration(timeout) : null)
            .With("BEYLA_BPF_POLL_INTERVAL", LowLatency ? "1ms" : null)
            .With("BEYLA_ENFORCE_SYS_CAPS", EnforceCapability ? "1" : null)
            .With("BEYLA_LOG_LEVEL", LogLevelFor(this));
        CmdletRun.Start(this, command, new RunLimits(typeof(Span), Duration, MaximumCount), AsJob, showProgress: false, StopToken);
    });

    internal static string LogLevelFor(PSCmdlet cmdlet) =>
        cmdlet.MyInvocation.BoundParameters.TryGetValue("Debug", out var debug) && debug is SwitchParameter { IsPresent: true } ? "DEBUG" : "INFO";
}

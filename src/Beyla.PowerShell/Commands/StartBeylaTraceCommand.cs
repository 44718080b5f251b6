using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Completion;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Commands;

/// <summary>Streams the requests that running processes serve and make, as spans.</summary>
/// <remarks>
/// <para>Starts the agent, which sees in the kernel what the chosen processes send and receive, and emits one object for each HTTP request and its answer. The processes are not touched:
/// no restart, no library, no line of code.</para>
/// <para>The trace goes on until Ctrl+C, -Duration, -MaximumCount, or until the pipeline has enough, as with Select-Object -First. Whatever ends it, the agent is gone within two seconds
/// and leaves nothing in the kernel. Closing the shell or removing the module ends it too.</para>
/// <para>The parameters that choose processes all have to hold. Without any the configuration file or the BEYLA_ variables of the environment choose.</para>
/// <para>When the pipeline is slower than the requests come, the agent drops spans and counts them; the traced processes never wait. Loss gives one warning, and the counters come in an
/// information record with the tag Beyla.Summary at the end.</para>
/// </remarks>
/// <example>
/// <title>See the requests of a service</title>
/// <code>Start-BeylaTrace -OpenPort 8080</code>
/// <para>Shows each request that the process which listens on port 8080 serves or makes, until Ctrl+C.</para>
/// </example>
/// <example>
/// <title>Which paths fail</title>
/// <code>Start-BeylaTrace -OpenPort 8080,9000-9010 -Duration 0:0:30 | Where-Object Status -ge 500 | Group-Object Path</code>
/// <para>Traces for half a minute and counts the failed requests by path.</para>
/// </example>
/// <example>
/// <title>Three slow requests of nginx</title>
/// <code>Get-Process nginx | Start-BeylaTrace | Where-Object Duration -gt '0:0:0.5' | Select-Object -First 3</code>
/// <para>Ends by itself when three requests took longer than half a second.</para>
/// </example>
/// <example>
/// <title>In the background</title>
/// <code>
/// $job = Start-BeylaTrace -OpenPort 8080 -AsJob
/// Receive-Job $job
/// Stop-Job $job
/// </code>
/// <para>The job collects spans until it is stopped. Up to 100,000 spans wait to be received; what comes beyond is dropped by the agent and counted.</para>
/// </example>
[Cmdlet(VerbsLifecycle.Start, "BeylaTrace", DefaultParameterSetName = ByConfiguration)]
[OutputType(typeof(Span))]
public sealed class StartBeylaTraceCommand : SelectionCmdlet
{
    /// <summary>Ends the trace after this time, counted from its begin: 0:0:30, 30s, 5m. Without it the trace goes on until it is stopped.</summary>
    [Parameter]
    [DurationTransformation]
    [ArgumentCompleter(typeof(DurationCompleter))]
    public TimeSpan? Duration { get; set; }

    /// <summary>Ends the trace after so many spans.</summary>
    [Parameter]
    [Alias("MaxCount")]
    [ArgumentCompleter(typeof(CountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long? MaximumCount { get; set; }

    /// <summary>A request without an answer is reported after this time, with status 408. Without it such a request is reported when its connection ends.</summary>
    [Parameter]
    [DurationTransformation]
    [ArgumentCompleter(typeof(DurationCompleter))]
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
        if (CameWithNothing(Ids.Count))
            return;

        WarnOfAbsent(Ids);
        var command = Select(Command())
            .With("BEYLA_TRACE_PRINTER", "json")
            .With("BEYLA_NETWORK_METRICS", "0")
            .With("BEYLA_BPF_HTTP_REQUEST_TIMEOUT", RequestTimeout is { } timeout ? AgentCommand.Duration(timeout) : null)
            .With("BEYLA_BPF_POLL_INTERVAL", LowLatency ? "1ms" : null)
            .With("BEYLA_ENFORCE_SYS_CAPS", EnforceCapability ? "1" : null)
            .With("BEYLA_LOG_LEVEL", LogLevelText);
        try
        {
            CmdletRun.Start(this, command, new RunLimits(typeof(Span), Duration, MaximumCount), AsJob, showProgress: false, StopToken);
        }
        catch (AgentException error) when (error.Kind == AgentFault.ConfigurationInvalid && ChoosesNothing)
        {
            // The agent speaks of its variables; here are parameters.
            throw new AgentException(error.Kind, error.Message, "Choose processes by -OpenPort, -Executable, -Id or -Language, or in the file of -ConfigPath.", error.Target, error);
        }
    });
}

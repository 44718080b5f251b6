using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Completion;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Commands;

/// <summary>Streams the requests that running processes serve and make, as spans.</summary>
/// <remarks>
/// <para>Starts the agent, which observes in the kernel what the chosen processes send and receive. Emits one object for each
/// request with its response (HTTP, PostgreSQL, Redis). The processes are not changed: no restart, no library, no line of code.</para>
/// <para>The trace runs until Ctrl+C, -Duration or -MaximumCount ends it, or until the pipeline needs no more objects, as with
/// Select-Object -First. In each case the agent is gone within two seconds and leaves nothing in the kernel. Closing the shell or
/// removing the module ends the trace too.</para>
/// <para>A process must fulfil all parameters that choose processes. If none is given, the configuration file or the BEYLA_ variables
/// of the environment choose. If no process matches, the cmdlet waits for one and says so once after a second.</para>
/// <para>A process that serves a request and makes another one for it, as a proxy does, gives two spans: one of Kind Server and one of
/// Kind Client. Use -Kind to get only one of them.</para>
/// <para>Ctrl+C ends the whole pipeline, so an assignment then gets nothing. Use -OutVariable to keep the spans so far.</para>
/// <para>If the pipeline is too slow for the requests, the agent drops spans and counts them; the traced processes never wait.
/// Loss gives one warning. At the end, the counters come in an information record with the tag Beyla.Summary.</para>
/// </remarks>
/// <example>
/// <title>See the requests of a service</title>
/// <code>Start-BeylaTrace -OpenPort 8080</code>
/// <para>Shows each request that the process listening on port 8080 serves or makes, until Ctrl+C.</para>
/// </example>
/// <example>
/// <title>Which paths fail</title>
/// <code>Start-BeylaTrace -OpenPort 8080,9000-9010 -Kind Server -Duration 0:0:30 | Where-Object Status -ge 500 | Group-Object Path</code>
/// <para>Traces for half a minute and counts the failed requests by path. With -Kind Server, a request that the service passes on to
/// another service counts once.</para>
/// </example>
/// <example>
/// <title>Three slow requests of nginx</title>
/// <code>Start-BeylaTrace -Name nginx -Kind Server | Where-Object Duration -gt '0:0:0.5' | Select-Object -First 3</code>
/// <para>Ends by itself after three requests that took longer than half a second. -Name compares the name that ps shows; Get-Process
/// shows the same processes by their command line.</para>
/// </example>
/// <example>
/// <title>Keep the spans after Ctrl+C</title>
/// <code>
/// Start-BeylaTrace -OpenPort 8080 -OutVariable spans
/// $spans | Group-Object Status
/// </code>
/// <para>Ctrl+C ends the trace, and $spans has all spans so far. After an assignment such as $spans = Start-BeylaTrace 8080, Ctrl+C
/// leaves the variable as it was, because PowerShell assigns only at the end. With -Duration or -MaximumCount both ways work.</para>
/// </example>
/// <example>
/// <title>Objects here, traces there</title>
/// <code>Start-BeylaTrace -OpenPort 8080 -Exporter Otlp -Endpoint http://localhost:4318 | Where-Object Status -ge 500</code>
/// <para>Every span goes to the receiver; the pipeline shows those that failed.</para>
/// </example>
/// <example>
/// <title>In the background</title>
/// <code>
/// $job = Start-BeylaTrace -OpenPort 8080 -AsJob
/// Receive-Job $job
/// Stop-Job $job
/// </code>
/// <para>The job collects spans until it is stopped. Up to 100,000 spans wait to be received; the agent drops further spans and
/// counts them.</para>
/// </example>
[Cmdlet(VerbsLifecycle.Start, "BeylaTrace", DefaultParameterSetName = ByConfiguration, HelpUri = Pages)]
[OutputType(typeof(Span))]
public sealed class StartBeylaTraceCommand : SelectionCmdlet
{
    /// <summary>
    /// Only the requests that the processes serve (Server), or only those that they make (Client). Default: both. A proxy has one
    /// of each for every request.
    /// </summary>
    [Parameter]
    public SpanKind? Kind { get; set; }

    /// <summary>
    /// Ends the trace after this time, counted from the moment when the agent starts to see requests: 0:0:30, 30s, 5m. Without it
    /// the trace runs until it is stopped.
    /// </summary>
    [Parameter]
    [DurationTransformation]
    [ArgumentCompleter(typeof(DurationCompleter))]
    public TimeSpan? Duration { get; set; }

    /// <summary>Ends the trace after this number of spans.</summary>
    [Parameter]
    [Alias("MaxCount", "MaxEvents")]
    [ArgumentCompleter(typeof(CountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long? MaximumCount { get; set; }

    /// <summary>
    /// A request without a response is reported after this time, with status 408. Without this parameter, such a request is
    /// reported when its connection ends.
    /// </summary>
    [Parameter]
    [DurationTransformation]
    [ArgumentCompleter(typeof(DurationCompleter))]
    public TimeSpan? RequestTimeout { get; set; }

    /// <summary>Checks for new requests every millisecond instead of every ten: spans come sooner but cost more processor time.</summary>
    [Parameter]
    public SwitchParameter LowLatency { get; set; }

    /// <summary>
    /// If a capability is missing, fails before anything is loaded. Without this parameter, the agent warns and does what is possible.
    /// </summary>
    [Parameter]
    public SwitchParameter EnforceCapability { get; set; }

    /// <summary>
    /// Sends the spans to another system too, while the objects flow: Otlp. Where to says -Endpoint, else the variables of OpenTelemetry
    /// (OTEL_EXPORTER_OTLP_ENDPOINT and its like), else http://localhost:4318.
    /// </summary>
    [Parameter]
    public TraceExporter? Exporter { get; set; }

    /// <summary>
    /// The URL of a receiver for OTLP, to which the path /v1/traces is added: http://localhost:4318; at port 4317 gRPC is spoken. With
    /// it -Exporter need not be given.
    /// </summary>
    [Parameter]
    public Uri? Endpoint { get; set; }

    /// <summary>Traces in the background, as a job whose results are the spans.</summary>
    [Parameter]
    public SwitchParameter AsJob { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        if (CameWithNothing(Ids.Count + (Name?.Length ?? 0)))
        {
            return;
        }

        FindNames();
        WarnOfAbsent(Ids);
        var command = Select(Command())
            .With("BEYLA_TRACE_PRINTER", "json")
            .With("BEYLA_NETWORK_METRICS", "0")
            .With("BEYLA_BPF_HTTP_REQUEST_TIMEOUT", RequestTimeout is { } timeout ? AgentCommand.Duration(timeout) : null)
            .With("BEYLA_BPF_POLL_INTERVAL", LowLatency ? "1ms" : null)
            .With("BEYLA_ENFORCE_SYS_CAPS", EnforceCapability ? "1" : null)
            .With("BEYLA_LOG_LEVEL", LogLevelText)
            .With("OTEL_TRACES_EXPORTER", ExporterText)
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", Endpoint?.OriginalString)
            // One of traces alone would go before it.
            .With("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Endpoint is null ? null : "")
            // It is asked for traces.
            .With("OTEL_METRICS_EXPORTER", Endpoint is null ? null : "none")
            .KeepOutput();
        try
        {
            var kind = Kind?.ToString();
            Predicate<object>? filter = kind is null ? null : value => value is Span span && span.Kind.ToString() == kind;
            var limits = new RunLimits(typeof(Span), Duration, MaximumCount, filter, Silence: new SelectionSilence(DescribeSelection()));
            CmdletRun.Start(this, command, limits, AsJob, showProgress: false, StopToken);
        }
        catch (AgentException error) when (error.Kind == AgentFault.ConfigurationInvalid && (ChoosesNothing || WatchesNothing(error)))
        {
            // The agent speaks of its variables; here are parameters.
            throw new AgentException(error.Kind, WatchesNothing(error) ? "Nothing says which processes to trace." : error.Message,
                "Choose processes by -OpenPort, -Executable, -Name, -Id or -Language, or in the file of -ConfigPath.", error.Target, error);
        }
    });

    /// <summary>As OTEL_TRACES_EXPORTER has it; null where nothing is said.</summary>
    private string? ExporterText => (Exporter ?? (Endpoint is null ? null : TraceExporter.Otlp))?.ToString().ToLowerInvariant();

    private static bool WatchesNothing(AgentException error) => error.Message.Contains("nothing to watch", StringComparison.Ordinal);
}

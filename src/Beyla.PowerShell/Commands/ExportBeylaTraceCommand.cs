using System.Collections;
using System.Collections.ObjectModel;
using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Exporters;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Commands;

/// <summary>Gives spans to other systems: OTLP, OTLP in JSON, the console of OpenTelemetry, the metrics page of Prometheus.</summary>
/// <remarks>
/// <para>Takes spans from the pipeline, as Start-BeylaTrace emits them or as Import-Clixml and ConvertFrom-Json bring them back, or a
/// recording: the file that the agent writes with BEYLA_TRACE_PRINTER=json. The agent does the work (beyla export), so names, batches
/// and retries are the same as while it traces. It needs no capability for that.</para>
/// <para>Otlp sends to a receiver and waits until all spans are delivered or given up. OtlpJson, Console and Prometheus give text, a
/// string for each line.</para>
/// <para>Console is the text of OpenTelemetry's own exporter, OpenTelemetry.Exporter.Console. It comes with the module and is loaded
/// when it is asked for, apart from what PowerShell and other modules have loaded.</para>
/// <para>If spans could not be exported, the error SpansLost says how many and why.</para>
/// </remarks>
/// <example>
/// <title>Send what was recorded</title>
/// <code>
/// BEYLA_OPEN_PORT=8080 BEYLA_TRACE_PRINTER=json beyla > spans.jsonl    # in a shell
/// Export-BeylaTrace spans.jsonl -Endpoint http://localhost:4318
/// </code>
/// <para>Sends the spans of the file to a receiver, with the times and identities that they had.</para>
/// </example>
/// <example>
/// <title>Only what failed</title>
/// <code>Start-BeylaTrace 8080 -Duration 1m | Where-Object ErrorType | Export-BeylaTrace -Endpoint http://localhost:4318</code>
/// <para>Sends the spans that the pipeline leaves, while the trace runs.</para>
/// </example>
/// <example>
/// <title>A file that collectors read</title>
/// <code>Import-Clixml spans.xml | Export-BeylaTrace -Exporter OtlpJson | Set-Content spans.otlp.jsonl</code>
/// <para>Writes OTLP in JSON, a request in each line, as the file exporter of OpenTelemetry does.</para>
/// </example>
/// <example>
/// <title>Metrics of a recording</title>
/// <code>Export-BeylaTrace spans.jsonl -Exporter Prometheus | Select-String '_count'</code>
/// <para>Makes the metrics that the agent would have had of these spans.</para>
/// </example>
[Cmdlet(VerbsData.Export, "BeylaTrace", DefaultParameterSetName = ByObject, HelpUri = Pages)]
[OutputType(typeof(string), typeof(Span))]
public sealed class ExportBeylaTraceCommand : ConfiguredCmdlet
{
    private const string ByObject = "InputObject", ByPath = "Path", ByLiteralPath = "LiteralPath";

    private readonly SpanWriter writer = new();
    private ExportRun? run;
    private CmdletRun? sink;
    private Func<string, IEnumerable<string>>? show;
    private int objects;

    /// <summary>The spans.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByObject)]
    [ValidateNotNull]
    public Span[]? InputObject { get; set; }

    /// <summary>Recordings: files with lines of the agent's stream. Wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ByPath)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Path { get; set; }

    /// <summary>The same with paths as they are, without wildcards. The output of Get-ChildItem can be piped in.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ByLiteralPath)]
    [Alias("PSPath", "LP")]
    [ValidateNotNullOrEmpty]
    public string[]? LiteralPath { get; set; }

    /// <summary>
    /// Where to, or as what: Otlp (default) sends to a receiver; OtlpJson, Console and Prometheus give text.
    /// </summary>
    [Parameter]
    public SpanExporter Exporter { get; set; }

    /// <summary>
    /// The URL of a receiver for OTLP, to which the path /v1/traces is added: http://localhost:4318; at port 4317 gRPC is spoken. Without
    /// it the variables of OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT and its like) or the configuration file say where to.
    /// </summary>
    [Parameter]
    public Uri? Endpoint { get; set; }

    /// <summary>Hands the spans on when they were given to the agent; only with Otlp, which has no output of its own.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Configuration file in YAML, as the agent reads it. Parameters take precedence over it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public override string? ConfigPath { get; set; }

    /// <summary>
    /// Further settings of the agent, by their path in the configuration file, such as @{ 'otel_traces_export.protocol' = 'grpc' }. They
    /// take precedence over everything else. All settings are in docs/configuration.md.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public override IDictionary? Setting { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => Guard(() =>
    {
        base.BeginProcessing();
        if (Exporter != SpanExporter.Otlp && Endpoint is not null)
        {
            throw new AgentException(
                AgentFault.ConfigurationInvalid, $"-Endpoint is for -Exporter Otlp; {Exporter} sends nothing.",
                "Leave out one of both.", Endpoint);
        }

        if (Exporter != SpanExporter.Otlp && PassThru)
        {
            throw new AgentException(
                AgentFault.ConfigurationInvalid, $"-PassThru is for -Exporter Otlp; the output of {Exporter} is text.",
                "Leave out one of both, or use Tee-Object -Variable before this cmdlet.", Exporter);
        }

        sink = new CmdletRun(this, showProgress: false);
        show = Exporter switch
        {
            SpanExporter.OtlpJson => static line => [Visible.Json(line)],
            SpanExporter.Prometheus => static line => [Visible.Page(line)],
            SpanExporter.Console => ConsoleExporter.Load(),
            _ => static _ => [],
        };
    });

    /// <inheritdoc/>
    protected override void ProcessRecord() => Guard(() =>
    {
        foreach (var span in InputObject ?? [])
        {
            objects++;
            Write(writer.Write(span.Record).ToArray(), 1);
            HandOn(span);
        }

        foreach (var file in Files())
        {
            objects++;
            Read(file);
        }
    });

    /// <inheritdoc/>
    protected override void EndProcessing() => Guard(() =>
    {
        if (!CameWithNothing(objects))
        {
            Checked(() => run?.Finish(StopToken));
        }
    });

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        run?.Dispose();
        writer.Dispose();
        base.Dispose(disposing);
    }

    private ExportRun Run() => run ??= ExportRun.Start(
        Command(["export", "--to", Argument], readsInput: true)
            .With("BEYLA_LOG_LEVEL", LogLevelText)
            .With("OTEL_TRACES_EXPORTER", Endpoint is null ? null : "otlp")
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", Endpoint?.OriginalString)
            // One of traces alone would go before it.
            .With("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Endpoint is null ? null : "")
            // Nobody would see what is written for -Exporter Otlp.
            .KeepOutput("otlp"),
        sink!, show!);

    /// <summary>As the option --to of the agent has it. The text of the console is made of the same requests.</summary>
    private string Argument => Exporter switch
    {
        SpanExporter.OtlpJson or SpanExporter.Console => "otlp-json",
        SpanExporter.Prometheus => "prometheus",
        _ => "otlp",
    };

    private void Write(byte[] lines, int count) => Checked(() => Run().Write(lines, count, StopToken));

    /// <summary>The agent speaks of its variables; here is a parameter.</summary>
    private void Checked(Action work)
    {
        try
        {
            work();
        }
        catch (AgentException error) when (
            error.Kind == AgentFault.ConfigurationInvalid && Exporter == SpanExporter.Otlp && Endpoint is null
            && error.Message.Contains("there is no endpoint", StringComparison.Ordinal))
        {
            throw new AgentException(
                error.Kind, "Nothing says where to send the spans.",
                "Give -Endpoint, such as http://localhost:4318, or set OTEL_EXPORTER_OTLP_ENDPOINT, or otel_traces_export.endpoint in the "
                + "file of -ConfigPath. -Exporter OtlpJson, Console and Prometheus give text.", error.Target, error);
        }
    }

    private void HandOn(Span span)
    {
        if (PassThru)
        {
            WriteObject(span);
        }
    }

    private void Read(string file)
    {
        var recording = new Recording(file, sink!);
        try
        {
            recording.Read(
                (block, spans) =>
                {
                    Write(block, spans.Count);
                    if (PassThru)
                    {
                        WriteObject(spans.Select(static span => new Span(Safe.Of(span))), enumerateCollection: true);
                    }
                },
                StopToken);
        }
        catch (AgentException error) when (error.Kind == AgentFault.RecordingNotReadable)
        {
            WriteError(error.ToErrorRecord());
            return;
        }

        if (recording.Count == 0)
        {
            WriteWarning($"'{Visible.Text(file)}' has no spans.");
        }
    }

    private IEnumerable<string> Files()
    {
        foreach (var path in LiteralPath ?? [])
        {
            var file = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            if (provider.Name == "FileSystem" && File.Exists(file))
            {
                yield return file;
            }
            else
            {
                WriteError(NotFound(path, null).ToErrorRecord());
            }
        }

        foreach (var pattern in Path ?? [])
        {
            foreach (var file in Resolve(pattern))
            {
                yield return file;
            }
        }
    }

    private List<string> Resolve(string pattern)
    {
        Collection<string> found = [];
        Exception? reason = null;
        try
        {
            found = SessionState.Path.GetResolvedProviderPathFromPSPath(pattern, out var provider);
            found = provider.Name == "FileSystem" ? found : [];
        }
        catch (Exception error) when (error is ItemNotFoundException or System.Management.Automation.DriveNotFoundException
            or ProviderNotFoundException or PSInvalidOperationException)
        {
            reason = error;
        }

        var files = found.Where(File.Exists).ToList();
        if (files.Count == 0)
        {
            WriteError(NotFound(pattern, reason).ToErrorRecord());
        }

        return files;
    }

    private static AgentException NotFound(string path, Exception? reason) => new(
        AgentFault.RecordingNotFound, $"There is no recording '{Visible.Text(path)}'.", "Correct -Path.", path, reason);
}

using System.Net.Security;
using System.Security.Cryptography;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Export.Relay;
using Beyla.Agent.Flows;
using Beyla.Agent.Logging;
using Beyla.Agent.Metrics;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Routes;
using Beyla.Agent.Statistics;

namespace Beyla.Cli;

/// <summary>What leaves the agent but by standard output, put together: the stages of export and the thread on which they work.</summary>
internal sealed class Exports : IDisposable
{
    private readonly SpanRelay relay;
    private readonly List<ICounted> places;
    private readonly List<IDisposable> owned = [];
    private readonly PrometheusExport? pages;
    private readonly RouteShaper routes; // of the export thread
    private readonly IReadOnlyList<AttributeCondition> conditions;
    private readonly bool hasOwnExports;
    private StageMetrics? sentStages;

    private readonly OutputTurn turn = new();
    private readonly Action outputEnded;

    private Exports(
        AgentConfiguration configuration, Func<string, string?> fileText, ProcReader proc, Action outputEnded)
    {
        this.outputEnded = outputEnded;
        var shaping = configuration.Shaping;
        var host = HostIdentity.Read(shaping.HostId, shaping.HostName);
        var resources = new ServiceResources(host, AgentVersion.Text, pid => StartOf(proc, pid), shaping.ResourceAttributes);
        var samplers = new Samplers(shaping.Sampler);
        routes = new RouteShaper(shaping.Routes);
        conditions = shaping.Filter;
        hasOwnExports = configuration.Selection.Rules.Any(static rule => rule.Exports is not null);
        var instrumented = InstrumentedServices.Make(configuration);
        List<IExportStage> stages = instrumented is null ? [] : [instrumented];
        places = [];
        IExportStage? clock = null;
        if (configuration.Traces is { } traces)
        {
            var sender = Sender(traces.Otlp, OtlpSignal.Traces, traces.QueueSize, fileText);
            var stage = new OtlpTraces(traces, resources, sender, AgentVersion.Text, samplers.IsSampled, shaping.Attributes);
            var others = instrumented is null ? null : new InstrumentedStage(stage, instrumented);
            stages.Add(Behind(others ?? (IExportStage)stage, IgnoredSignals.Traces));
            places.AddRange(others is null ? [stage] : [others, stage]);
            owned.Add(stage);
        }

        if (configuration.Metrics is { IsServed: true } or { Sent: not null })
        {
            var intake = new MetricIntake(configuration, resources, host, AgentVersion.Text, instrumented, proc);
            pages = Metrics(configuration, intake, stages, fileText);
            clock = intake.Clock;
        }

        foreach (var name in shaping.Attributes.Unused)
        {
            Log.Warn("A section of attributes.select has no effect: no metric with such a name and a choice of attributes is made",
                ("section", name));
        }

        relay = new SpanRelay([.. stages, .. clock is null ? (IExportStage[])[] : [clock], resources]);
        Sinks = stages.Count > 0 ? [relay] : [];
        places.Insert(0, relay);
    }

    /// <summary>Take the spans.</summary>
    public IReadOnlyList<IExportSink> Sinks { get; }

    /// <summary>Takes the flows; null where they are in no metrics.</summary>
    public IFlowSink? Flows { get; private set; }

    /// <summary>Takes TCP statistics; null where they are in no metrics.</summary>
    public ITcpStatisticSink? Statistics { get; private set; }

    /// <summary>The places that count, in pipeline order.</summary>
    public IReadOnlyList<ICounted> Places => places;

    /// <summary>Begins.</summary>
    /// <param name="configuration">What is configured.</param>
    /// <param name="fileText">The text of a file that the configuration names; null where it is not there.</param>
    /// <param name="proc">How files of processes are read; of the export thread from then on.</param>
    /// <param name="outputEnded">Called when what goes to standard output cannot be written any more; any thread.</param>
    /// <returns>Null where nothing is exported.</returns>
    /// <exception cref="ConfigurationException">A certificate cannot be used.</exception>
    public static Exports? Start(
        AgentConfiguration configuration, Func<string, string?> fileText, ProcReader proc, Action outputEnded) =>
        configuration.Exports ? new Exports(configuration, fileText, proc, outputEnded) : null;

    /// <summary>What all places have counted can be asked for from now on.</summary>
    public void Tell(Func<IReadOnlyList<PlaceCounters>> counters)
    {
        pages?.Tell(counters);
        if (sentStages is not null)
        {
            sentStages.Source = counters;
        }
    }

    /// <summary>Sends what waits, within a limit.</summary>
    public void Stop(TimeSpan limit) => relay.Stop(limit);

    /// <inheritdoc/>
    public void Dispose()
    {
        relay.Dispose();
        foreach (var stage in owned)
        {
            stage.Dispose();
        }
    }

    /// <summary>When a process of which nobody has looked that up began, in clock ticks after boot; 0 if unknown.</summary>
    private static long StartOf(ProcReader proc, int pid) => proc.TryStat(pid, out var stat) ? stat.StartTime : 0;

    /// <summary>Puts what shapes spans before a stage, and counts with it.</summary>
    private IExportStage Behind(IExportStage stage, IgnoredSignals signal)
    {
        var shaped = ShapedStage.Before(stage, signal, routes, conditions, hasOwnExports);
        places.AddRange(shaped.Gates);
        return shaped.First;
    }

    /// <summary>Adds what makes metrics and what sends them, and begins the pages on which they are read.</summary>
    private PrometheusExport? Metrics(
        AgentConfiguration configuration, MetricIntake intake, List<IExportStage> stages, Func<string, string?> fileText)
    {
        (Flows, Statistics) = (intake.Flows, intake.Statistics);
        foreach (var stage in intake.Stages)
        {
            stages.Add(Behind(stage, IgnoredSignals.Metrics));
            if (stage is ICounted counted)
            {
                places.Add(counted);
            }

            if (stage is IDisposable disposable)
            {
                owned.Add(disposable);
            }
        }

        if (configuration.Metrics.Sent is { } sent)
        {
            // Bytes bound what waits: one request has all points.
            var sender = Sender(sent.Otlp, OtlpSignal.Metrics, int.MaxValue, fileText);
            sentStages = configuration.Metrics.SendsInternal ? new StageMetrics(intake.Store) : null;
            var stage = new OtlpMetrics(intake.Store, sent, sender, AgentVersion.Text, sentStages);
            stages.Add(stage); // after those that fill the store
            places.Add(stage);
            owned.Add(stage);
        }

        if (!configuration.Metrics.IsServed)
        {
            return null;
        }

        var served = PrometheusExport.Start(configuration.Metrics, intake.Store);
        owned.Add(served);
        return served;
    }

    /// <summary>Begins to send a signal over the network.</summary>
    /// <param name="otlp">Where to, and how.</param>
    /// <param name="signal">What.</param>
    /// <param name="items">Spans or data points that wait at most.</param>
    /// <param name="fileText">The text of a file that the configuration names.</param>
    /// <param name="holdUp">As <see cref="OtlpSender"/> has it.</param>
    /// <exception cref="ConfigurationException">A certificate cannot be used.</exception>
    internal static OtlpSender HttpSender(
        OtlpConfiguration otlp, OtlpSignal signal, int items, Func<string, string?> fileText, CancellationToken? holdUp = null) =>
        Sender(new OtlpHttp(otlp, signal, AgentVersion.Text, CertificatesOf(otlp, fileText)), otlp, signal, items, holdUp);

    private OtlpSender Sender(OtlpConfiguration otlp, OtlpSignal signal, int items, Func<string, string?> fileText) =>
        otlp.Protocol != OtlpProtocol.JsonLines
            ? HttpSender(otlp, signal, items, fileText)
            : Sender(new OneAtATime(new OtlpJsonLines(OutputQueue.StandardOutput, signal, outputEnded), turn), otlp, signal, items, null);

    private static OtlpSender Sender(
        IOtlpTransport transport, OtlpConfiguration otlp, OtlpSignal signal, int items, CancellationToken? holdUp)
    {
        Log.Info(signal == OtlpSignal.Traces ? "Spans are sent" : "Metrics are sent",
            ("endpoint", transport.Target), ("protocol", NameOf(otlp.Protocol)));
        return new OtlpSender(transport, otlp, signal.Name, items, holdUp);
    }

    private static string NameOf(OtlpProtocol protocol) => protocol switch
    {
        OtlpProtocol.Grpc => "grpc",
        OtlpProtocol.HttpJson => "http/json",
        OtlpProtocol.JsonLines => "lines of JSON",
        _ => "http/protobuf",
    };

    private static SslClientAuthenticationOptions? CertificatesOf(OtlpConfiguration otlp, Func<string, string?> fileText)
    {
        if (otlp is { RootsFile: null, ClientCertificateFile: null, SkipVerify: false })
        {
            return null;
        }

        string? Text(string? path) => path is null ? null : fileText(path);
        try
        {
            return OtlpCertificates.Make(
                Text(otlp.RootsFile), Text(otlp.ClientCertificateFile), Text(otlp.ClientKeyFile), otlp.SkipVerify);
        }
        catch (CryptographicException failure)
        {
            throw new ConfigurationException($"the certificates of the export cannot be used: {LogText.Escape(failure.Message)}");
        }
    }
}

using System.Net.Security;
using System.Security.Cryptography;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Export.Prometheus;
using Beyla.Agent.Export.Relay;
using Beyla.Agent.Flows;
using Beyla.Agent.Logging;
using Beyla.Agent.Spans;
using Beyla.Agent.Spans.Routes;

namespace Beyla.Cli;

/// <summary>What leaves the agent but by standard output, put together: the stages of export and the thread on which they work.</summary>
internal sealed class Exports : IDisposable
{
    private readonly SpanRelay relay;
    private readonly List<ICounted> places;
    private readonly List<IDisposable> owned = [];
    private readonly PrometheusExport? metrics;

    private Exports(AgentConfiguration configuration, Func<string, string?> fileText, Func<int, long> startOf)
    {
        var shaping = configuration.Shaping;
        var host = HostIdentity.Read(shaping.HostId, shaping.HostName);
        var resources = new ServiceResources(host, AgentVersion.Text, startOf, shaping.ResourceAttributes);
        var samplers = new Samplers(shaping.Sampler);
        var routes = new RouteShaper(shaping.Routes);
        List<IExportStage> stages = [];
        places = [];
        if (configuration.Traces is { } traces)
        {
            var transport = new OtlpHttp(traces.Otlp, OtlpSignal.Traces, AgentVersion.Text, CertificatesOf(traces.Otlp, fileText));
            var sender = new OtlpSender(transport, traces.Otlp, OtlpSignal.Traces.Name, traces.QueueSize);
            var stage = new OtlpTraces(traces, resources, sender, AgentVersion.Text, samplers.IsSampled);
            var routed = new RoutedStage(stage, routes, IgnoredSignals.Traces);
            stages.Add(routed);
            places.AddRange([routed, stage]);
            owned.Add(stage);
            Log.Info("Spans are sent", ("endpoint", transport.Target), ("protocol", NameOf(traces.Otlp.Protocol)));
        }

        if (configuration.Metrics.IsServed)
        {
            metrics = PrometheusExport.Start(configuration, resources, host, AgentVersion.Text);
            owned.Add(metrics);
            foreach (var stage in metrics.Stages)
            {
                var routed = new RoutedStage(stage, routes, IgnoredSignals.Metrics);
                stages.Add(routed);
                places.Add(routed);
            }
        }

        relay = new SpanRelay([.. stages, resources]);
        Sinks = stages.Count > 0 ? [relay] : [];
        places.Insert(0, relay);
    }

    /// <summary>Take the spans.</summary>
    public IReadOnlyList<IExportSink> Sinks { get; }

    /// <summary>Takes the flows; null where they are in no metrics.</summary>
    public IFlowSink? Flows => metrics?.Flows;

    /// <summary>The places that count, in pipeline order.</summary>
    public IReadOnlyList<ICounted> Places => places;

    /// <summary>Begins.</summary>
    /// <param name="configuration">What is configured.</param>
    /// <param name="fileText">The text of a file that the configuration names; null where it is not there.</param>
    /// <param name="startOf">When a process began, in clock ticks after boot; 0 if unknown.</param>
    /// <returns>Null where nothing is exported.</returns>
    /// <exception cref="ConfigurationException">A certificate cannot be used.</exception>
    public static Exports? Start(AgentConfiguration configuration, Func<string, string?> fileText, Func<int, long> startOf) =>
        configuration.Exports ? new Exports(configuration, fileText, startOf) : null;

    /// <summary>What all places have counted can be asked for from now on.</summary>
    public void Tell(Func<IReadOnlyList<PlaceCounters>> counters) => metrics?.Tell(counters);

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

    private static string NameOf(OtlpProtocol protocol) => protocol switch
    {
        OtlpProtocol.Grpc => "grpc",
        OtlpProtocol.HttpJson => "http/json",
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

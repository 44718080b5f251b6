using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Beyla.PowerShell.Console;

/// <summary>
/// Prints requests in OTLP JSON by OpenTelemetry.Exporter.Console. The module finds this class by its name and hands over types of .NET
/// only, because it lives in another context than what is loaded here.
/// </summary>
public static class RequestPrinter
{
    private const int MaximumProviders = 64;

    private static readonly object Gate = new();
    private static readonly Dictionary<string, (TracerProvider Provider, ConsoleActivityExporter Exporter)> Exporters = [];

    private static readonly ActivityListener Listener = new()
    {
        ShouldListenTo = static _ => true,
        Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
    };

    // Only the sources of this context: the assembly that has them is loaded in it once more.
    static RequestPrinter() => ActivitySource.AddActivityListener(Listener);

    /// <summary>The lines that the exporter writes of a request.</summary>
    /// <param name="request">One ExportTraceServiceRequest in OTLP JSON.</param>
    /// <param name="visible">Makes text safe to show.</param>
    /// <exception cref="FormatException">It is no request.</exception>
    /// <exception cref="System.Text.Json.JsonException">It is no JSON.</exception>
    public static IReadOnlyList<string> Print(string request, Func<string, string> visible)
    {
        // The console is one for the process.
        lock (Gate)
        {
            var found = new RequestReader(visible).Read(request);
            return LineCapture.Of(() =>
            {
                foreach (var (resource, activities) in found)
                {
                    _ = Exporter(resource).Export(new Batch<Activity>([.. activities], activities.Count));
                }
            });
        }
    }

    /// <summary>An exporter takes the resource from the provider that it belongs to, so each resource has one.</summary>
    private static ConsoleActivityExporter Exporter(IReadOnlyList<KeyValuePair<string, object>> resource)
    {
        var key = string.Join('\n', resource);
        if (Exporters.TryGetValue(key, out var known))
        {
            return known.Exporter;
        }

        if (Exporters.Count == MaximumProviders)
        {
            foreach (var (provider, _) in Exporters.Values)
            {
                provider.Dispose();
            }

            Exporters.Clear();
        }

        var exporter = new ConsoleActivityExporter(new ConsoleExporterOptions());
        // No resource of this process: neither defaults nor what its variables say.
        var made = Sdk.CreateTracerProviderBuilder().ConfigureResource(builder => builder.Clear().AddAttributes(resource))
            .AddProcessor(new SimpleActivityExportProcessor(exporter)).Build();
        Exporters[key] = (made, exporter);
        return exporter;
    }
}

using Beyla.Agent.Logging;

namespace Beyla.Agent.Configuration;

/// <summary>Variables of the OpenTelemetry specification that are no settings of their own.</summary>
internal sealed partial class SettingLayers
{
    /// <summary>
    /// What the standard variable OTEL_TRACES_EXPORTER says of OTLP: true where it names it, false where it names others or none; null
    /// where it is not set. OTEL_SDK_DISABLED is as <c>none</c>.
    /// </summary>
    public bool? SendsTraces { get; private set; }

    /// <summary>The same of OTEL_METRICS_EXPORTER.</summary>
    public bool? SendsMetrics { get; private set; }

    /// <summary>
    /// Whether OTEL_TRACES_EXPORTER asks for <c>otlp/stdout</c>: requests in lines of JSON on standard output (OpenTelemetry specification,
    /// "OpenTelemetry Protocol File Exporter").
    /// </summary>
    public bool StreamsTraces { get; private set; }

    /// <summary>The same of OTEL_METRICS_EXPORTER.</summary>
    public bool StreamsMetrics { get; private set; }

    private const string Lines = "otlp/stdout";

    /// <summary>
    /// Adds what the standard variables OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER ask for: <c>console</c> is the text printer of
    /// spans, unless anything else says how they are printed (the variable is often meant for other programs). Exporters that this agent
    /// does not have are warned of.
    /// </summary>
    /// <remarks>
    /// OpenTelemetry specification, Environment Variable Specification, "Exporter Selection": a list with commas, case does not count.
    /// </remarks>
    public void AddExporters(IReadOnlyDictionary<string, string> environment)
    {
        const string Variable = "OTEL_TRACES_EXPORTER";
        var printer = KeyIndex.Get("trace_printer");
        foreach (var exporter in Listed(environment, Variable))
        {
            SendsTraces ??= false;
            if (exporter.Equals("console", StringComparison.OrdinalIgnoreCase))
            {
                set.TryAdd(printer.Path, new Setting(printer, "text", null, new SettingOrigin(SettingSource.Environment, Variable)));
            }
            else if (exporter.Equals("otlp", StringComparison.OrdinalIgnoreCase))
            {
                SendsTraces = true;
            }
            else if (exporter.Equals(Lines, StringComparison.OrdinalIgnoreCase))
            {
                StreamsTraces = true;
            }
            else if (!exporter.Equals("none", StringComparison.OrdinalIgnoreCase))
            {
                WarnOfExporter(exporter, Variable, "otlp, otlp/stdout, console and none");
            }
        }

        StreamsTraces = StreamsAlone(StreamsTraces, SendsTraces, Variable);
        AddMetricsExporters(environment);
        // A boolean of the specification is true only in this word.
        if (environment.GetValueOrDefault("OTEL_SDK_DISABLED", "").Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            SendsTraces = SendsMetrics = StreamsTraces = StreamsMetrics = false;
        }
    }

    private void AddMetricsExporters(IReadOnlyDictionary<string, string> environment)
    {
        const string Variable = "OTEL_METRICS_EXPORTER";
        foreach (var exporter in Listed(environment, Variable))
        {
            SendsMetrics ??= false;
            if (exporter.Equals("otlp", StringComparison.OrdinalIgnoreCase))
            {
                SendsMetrics = true;
            }
            else if (exporter.Equals(Lines, StringComparison.OrdinalIgnoreCase))
            {
                StreamsMetrics = true;
            }
            else if (!exporter.Equals("none", StringComparison.OrdinalIgnoreCase)
                // The page has a port of its own, which switches it on; without one the variable is meant for other programs.
                && !exporter.Equals("prometheus", StringComparison.OrdinalIgnoreCase))
            {
                WarnOfExporter(exporter, Variable, "otlp, otlp/stdout, prometheus and none");
            }
        }

        StreamsMetrics = StreamsAlone(StreamsMetrics, SendsMetrics, Variable);
    }

    /// <summary>One signal goes one of the two ways.</summary>
    private bool StreamsAlone(bool streams, bool? sends, string variable)
    {
        if (streams && sends == true)
        {
            Warnings.Add($"{Lines} of the variable {variable} has no effect beside otlp: one of them takes what there is");
        }

        return streams && sends != true;
    }

    private static string[] Listed(IReadOnlyDictionary<string, string> environment, string variable) =>
        environment.GetValueOrDefault(variable, "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private void WarnOfExporter(string exporter, string variable, string built) => Warnings.Add(
        $"the exporter {LogText.Quote(exporter)} of the variable {variable} is not built in this agent and has no effect; {built} are");

    /// <summary>OTEL_RESOURCE_ATTRIBUTES of the agent; see <see cref="ShapingConfiguration.ResourceAttributes"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ResourceAttributes { get; private set; } = [];

    /// <summary>
    /// Adds OTEL_RESOURCE_ATTRIBUTES: one entry that is wrong and the whole variable has no effect, which is warned of (OpenTelemetry
    /// specification, Resource SDK, "Specifying resource information via an environment variable").
    /// </summary>
    public void AddResourceAttributes(IReadOnlyDictionary<string, string> environment)
    {
        const string Variable = "OTEL_RESOURCE_ATTRIBUTES";
        var text = environment.GetValueOrDefault(Variable, "");
        List<KeyValuePair<string, string>> attributes = [];
        if (!AgentResourceAttributes.TryParse(text, attributes, out var error))
        {
            Warnings.Add($"the variable {Variable} has no effect: {LogText.Escape(Bounded(error))}");
            return;
        }

        ResourceAttributes = attributes;
    }
}

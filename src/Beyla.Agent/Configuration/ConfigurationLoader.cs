using System.Collections;

namespace Beyla.Agent.Configuration;

/// <summary>Loads the configuration: defaults, then a YAML file, then the environment, then the command line.</summary>
public static class ConfigurationLoader
{
    private static readonly string[] StartVariables =
        ["BEYLA_OPEN_PORT", "BEYLA_AUTO_TARGET_EXE", "BEYLA_AUTO_TARGET_LANGUAGE", "BEYLA_TARGET_PID", "BEYLA_EXECUTABLE_NAME",
            "BEYLA_NETWORK_METRICS", "BEYLA_TRACE_PRINTER", "BEYLA_NETWORK_PRINT_FLOWS", "BEYLA_CONFIG_PATH",
            "BEYLA_PROMETHEUS_PORT"];

    /// <summary>Loads the configuration of this process.</summary>
    public static LoadedConfiguration Load(CommandLine commandLine) =>
        Load(commandLine, EnvironmentOfProcess(), ConfigurationFile.HasRaisedRights);

    /// <summary>Loads the configuration of this process with a file that another process of this agent has read.</summary>
    /// <param name="commandLine">The command line.</param>
    /// <param name="file">The text of the file; null where there is none.</param>
    public static LoadedConfiguration Load(CommandLine commandLine, string? file)
    {
        var environment = EnvironmentOfProcess();
        return file is null
            ? Finish(new SettingLayers(), environment, commandLine)
            : LoadText(file, "the configuration file", environment, commandLine);
    }

    /// <summary>Loads a configuration. Never throws for what the sources hold: see the result.</summary>
    /// <param name="commandLine">The command line.</param>
    /// <param name="environment">The environment variables.</param>
    /// <param name="raisedRights">Whether the agent has rights that its caller has not; then a configuration file is examined more
    /// closely.</param>
    public static LoadedConfiguration Load(CommandLine commandLine, IReadOnlyDictionary<string, string> environment, bool raisedRights)
    {
        var layers = new SettingLayers();
        var path = commandLine.ConfigurationFile;
        if (string.IsNullOrEmpty(path))
        {
            path = environment.GetValueOrDefault(KeyIndex.FileVariable, "");
        }

        if (path.Length == 0)
        {
            path = environment.GetValueOrDefault("OTEL_EBPF_CONFIG_PATH", "");
        }

        if (path.Length > 0)
        {
            layers.AddFile(path, environment, raisedRights);
        }

        return Finish(layers, environment, commandLine);
    }

    /// <summary>Loads a configuration from a YAML text in place of a file.</summary>
    internal static LoadedConfiguration LoadText(
        string yaml, string origin, IReadOnlyDictionary<string, string> environment, CommandLine commandLine)
    {
        var layers = new SettingLayers();
        try
        {
            layers.AddYaml(yaml, origin, environment);
        }
        catch (ConfigurationException failure)
        {
            layers.Problems.AddRange(failure.Problems);
        }

        return Finish(layers, environment, commandLine);
    }

    /// <summary>Lays what goes before a file on top of it, and binds.</summary>
    private static LoadedConfiguration Finish(
        SettingLayers layers, IReadOnlyDictionary<string, string> environment, CommandLine commandLine)
    {
        layers.AddEnvironment(environment);
        layers.AddCommandLine(commandLine);
        layers.AddExporters(environment);
        layers.AddResourceAttributes(environment);
        layers.Check();
        var configuration = new ConfigurationBinder(layers).Bind();
        var settings = new Setting[KeyIndex.All.Count];
        for (var i = 0; i < settings.Length; i++)
        {
            settings[i] = layers[KeyIndex.All[i]];
        }

        return new LoadedConfiguration(
            configuration, settings, layers.Warnings, layers.Problems,
            // What is selected is judged when all that was said could be read: nothing to watch is then no mistake of its own.
            layers.Problems.Count == 0 ? [.. StartProblems(configuration, environment)] : [])
        {
            FileText = layers.FileText,
        };
    }

    private static IEnumerable<string> StartProblems(AgentConfiguration configuration, IReadOnlyDictionary<string, string> environment)
    {
        var wantsStatistics = (configuration.Metrics.Features & MetricFeatures.OfStatistics) != 0;
        if (!configuration.ApplicationEnabled && !configuration.Network.Enabled && !configuration.Statistics.Enabled && !wantsStatistics)
        {
            yield return "there is nothing to watch: select processes with BEYLA_OPEN_PORT, BEYLA_AUTO_TARGET_EXE, BEYLA_TARGET_PID, "
                + "BEYLA_AUTO_TARGET_LANGUAGE or discovery.instrument, or set BEYLA_NETWORK_METRICS=true for network flows; "
                + "for example: BEYLA_OPEN_PORT=8080 BEYLA_TRACE_PRINTER=text beyla" + Hint(environment);
        }

        if (configuration.ApplicationEnabled && configuration is { TracePrinter: TracePrinterKind.Disabled, Traces: null }
            && !configuration.Metrics.TakesSpans)
        {
            yield return "processes are selected but their spans would go nowhere: set OTEL_EXPORTER_OTLP_ENDPOINT, BEYLA_PROMETHEUS_PORT, "
                + "or BEYLA_TRACE_PRINTER (--trace-printer) to text, json, json_indent or counter" + Hint(environment);
        }

        if (configuration.Network.Enabled && !configuration.PrintsFlows && !configuration.Metrics.TakesFlows)
        {
            yield return "network flows are enabled but would go nowhere: set BEYLA_NETWORK_PRINT_FLOWS=true (--print-flows), "
                + "BEYLA_TRACE_PRINTER=json, BEYLA_PROMETHEUS_PORT or OTEL_EXPORTER_OTLP_ENDPOINT" + Hint(environment);
        }

        if (wantsStatistics && !configuration.Statistics.Enabled)
        {
            yield return "metrics.features names TCP statistics but they would go nowhere: set BEYLA_PROMETHEUS_PORT or "
                + "OTEL_EXPORTER_OTLP_ENDPOINT" + Hint(environment);
        }
    }

    /// <summary>Names a variable that looks like a misspelt one of those that would have helped.</summary>
    private static string Hint(IReadOnlyDictionary<string, string> environment)
    {
        foreach (var name in environment.Keys.Order(StringComparer.Ordinal))
        {
            if (KeyIndex.FindByVariable(name).Count > 0 || name is KeyIndex.FileVariable or KeyIndex.WorkerUserVariable)
            {
                continue;
            }

            var meant = StartVariables.Contains(KeyIndex.Prefix + name) ? KeyIndex.Prefix + name : NearestName.Find(name, StartVariables);
            if (meant is not null)
            {
                return $" (the variable {Logging.LogText.Quote(name)} is set: did you mean {meant}?)";
            }
        }

        return "";
    }

    private static Dictionary<string, string> EnvironmentOfProcess()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        return variables;
    }
}

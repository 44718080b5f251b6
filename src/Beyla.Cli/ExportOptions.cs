using Beyla.Agent.Configuration;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>What a recording becomes.</summary>
internal enum ExportKind
{
    /// <summary>It is sent to an endpoint.</summary>
    Otlp,

    /// <summary>Lines of OTLP JSON on standard output.</summary>
    OtlpJson,

    /// <summary>A page of metrics on standard output.</summary>
    Prometheus,
}

/// <summary>The options of <c>beyla export</c> that are its own.</summary>
internal static class ExportOptions
{
    /// <summary>Reads them.</summary>
    /// <param name="arguments">What the command line left.</param>
    /// <returns>What is asked for.</returns>
    /// <exception cref="ConfigurationException">An option is unknown, or has no value or a wrong one.</exception>
    public static ExportKind Parse(IReadOnlyList<string> arguments)
    {
        var kind = ExportKind.Otlp;
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            string? value = null;
            if (name.StartsWith("--to=", StringComparison.Ordinal))
            {
                (name, value) = ("--to", name["--to=".Length..]);
            }

            if (name != "--to")
            {
                throw new ConfigurationException($"{LogText.Quote(arguments[i])} is unknown here, see beyla export --help");
            }

            value ??= ++i < arguments.Count ? arguments[i] : throw new ConfigurationException("the option --to needs a value");
            kind = value switch
            {
                "otlp" => ExportKind.Otlp,
                "otlp-json" => ExportKind.OtlpJson,
                "prometheus" => ExportKind.Prometheus,
                _ => throw new ConfigurationException($"--to {LogText.Quote(value)}: one of otlp, otlp-json, prometheus is expected"),
            };
        }

        return kind;
    }
}

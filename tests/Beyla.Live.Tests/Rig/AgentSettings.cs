using System.Globalization;

namespace Beyla.Live.Tests.Rig;

/// <summary>How an agent is started. It sees no environment variable besides these, PATH and HOME.</summary>
internal sealed record AgentSettings
{
    public string Binary { get; init; } = Repository.Agent;

    /// <summary>A command that runs the binary: <c>setpriv …</c>, <c>ip netns exec …</c>.</summary>
    public IReadOnlyList<string> Prefix { get; init; } = [];

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public Dictionary<string, string> Environment { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Whether its output is read from the start.</summary>
    public bool ReadsOutput { get; init; } = true;

    /// <summary>Whether its output is kept as text instead of being read as a stream of spans.</summary>
    public bool ReadsAsText { get; init; }

    /// <summary>Whether its output is read into <see cref="AgentProcess.Records"/>, by no reader of ours.</summary>
    public bool ReadsRecords { get; init; }

    public string Printer => Environment.GetValueOrDefault("BEYLA_TRACE_PRINTER", "");

    /// <summary>Traces what listens on the given ports and prints the JSON stream.</summary>
    public static AgentSettings ForPorts(params int[] ports) =>
        For("BEYLA_OPEN_PORT", string.Join(',', ports.Select(port => port.ToString(CultureInfo.InvariantCulture))));

    /// <summary>
    /// Traces what one of some rules selects (entries of discovery.instrument, as <c>open_ports: "80"</c>) and prints the JSON stream, read
    /// as <see cref="AgentProcess.Records"/>.
    /// </summary>
    public static AgentSettings ForRules(params string[] rules) => new AgentSettings
    {
        Arguments = ["--set", $"discovery.instrument=[{string.Join(", ", rules.Select(rule => $"{{{rule}}}"))}]"], ReadsRecords = true,
    }.With("BEYLA_TRACE_PRINTER", "json");

    /// <summary>Traces what one variable selects and prints the JSON stream.</summary>
    public static AgentSettings For(string variable, string value) =>
        new AgentSettings().With(variable, value).With("BEYLA_TRACE_PRINTER", "json");

    /// <summary>The same with one more variable.</summary>
    public AgentSettings With(string variable, string value) =>
        this with { Environment = new Dictionary<string, string>(Environment, StringComparer.Ordinal) { [variable] = value } };

    /// <summary>The same with a socket source other than the best: <c>tracepoints</c>, <c>fentry</c>, <c>syscalls</c>.</summary>
    public AgentSettings WithSource(string source) => With("BEYLA_BPF_SOCKET_SOURCE", source);
}

using System.Collections;
using System.Globalization;
using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Completion;

namespace Beyla.PowerShell.Commands;

/// <summary>The parameters that choose what is traced. They become the agent's documented environment variables, so that they win over a configuration file.</summary>
public abstract class SelectionCmdlet : BeylaCmdlet
{
    private protected const string ByConfiguration = "Configuration";

    private readonly List<int> _ids = [];

    /// <summary>Ports and port ranges: processes that listen on one of them are traced. 8080 and 9000-9010 are examples.</summary>
    [Parameter(Position = 0, ParameterSetName = ByConfiguration)]
    [ArgumentCompleter(typeof(ListeningPortCompleter))]
    [ValidateNotNullOrEmpty]
    public PortRange[]? OpenPort { get; set; }

    /// <summary>Glob that the full path of the executable must fit, such as */nginx or {*/node,*/python3*}. Several are alternatives.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ArgumentCompleter(typeof(ExecutableCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? Executable { get; set; }

    /// <summary>Process ids. Get-Process can be piped in.</summary>
    [Parameter(ParameterSetName = ByConfiguration, ValueFromPipelineByPropertyName = true)]
    [Alias("ProcessId", "PID")]
    [ArgumentCompleter(typeof(ProcessCompleter))]
    [ValidateRange(1, int.MaxValue)]
    public int[]? Id { get; set; }

    /// <summary>Languages: processes that are written in one of them are traced.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ValidateNotNullOrEmpty]
    public ProcessLanguage[]? Language { get; set; }

    /// <summary>Configuration file in YAML, as the agent reads it. Parameters win over it.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string? ConfigPath { get; set; }

    /// <summary>Puts the trace context into outgoing requests; changes what the traced processes send, hence off by default.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    public ContextPropagation? ContextPropagation { get; set; }

    /// <summary>
    /// Further settings of the agent by their path in the configuration file, such as @{ 'ebpf.ring_size' = 64MB }. See docs/configuration.md; they win over everything else.
    /// </summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ValidateNotNull]
    public IDictionary? Setting { get; set; }

    /// <summary>Collects the process ids that come through the pipeline.</summary>
    protected override void ProcessRecord() => _ids.AddRange(Id ?? []);

    /// <summary>Whether a parameter chooses processes.</summary>
    protected bool HasSelection => OpenPort is not null || Executable is not null || _ids.Count > 0 || Language is not null;

    /// <summary>Adds the parameters to a command.</summary>
    /// <exception cref="AgentException">The configuration file is not there.</exception>
    protected AgentCommand Configure(AgentCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return command
            .With("BEYLA_CONFIG_PATH", ConfigurationFile())
            .With("BEYLA_OPEN_PORT", Join(OpenPort))
            .With("BEYLA_AUTO_TARGET_EXE", Globs(Executable))
            .With("BEYLA_TARGET_PID", _ids.Count == 0 ? null : string.Join(',', _ids.Distinct()))
            .With("BEYLA_AUTO_TARGET_LANGUAGE", Globs(Language?.Select(l => l.ToString().ToLowerInvariant()).ToArray()))
            .With("BEYLA_BPF_CONTEXT_PROPAGATION", ContextPropagation?.ToString().ToLowerInvariant());
    }

    /// <summary>The arguments that stand for <see cref="Setting"/>.</summary>
    protected IEnumerable<string> SettingArguments()
    {
        foreach (DictionaryEntry entry in Setting ?? new Hashtable())
        {
            yield return "--set";
            yield return $"{entry.Key}={SettingText(entry.Value)}";
        }
    }

    /// <summary>A list as the agent reads it; null when there is none.</summary>
    protected static string? Join<T>(IReadOnlyCollection<T>? values) => values is null ? null : string.Join(',', values);

    private static string SettingText(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) switch
    {
        null => "",
        bool truth => truth ? "true" : "false",
        TimeSpan time => AgentCommand.Duration(time),
        string text => text,
        IEnumerable list => string.Join(',', list.Cast<object?>().Select(SettingText)),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? "",
    };

    private static string? Globs(string[]? globs) => globs switch
    {
        null => null,
        [var only] => only,
        _ => "{" + string.Join(',', globs) + "}",
    };

    private string? ConfigurationFile()
    {
        if (ConfigPath is null)
            return null;

        var path = FullPath(ConfigPath);
        return File.Exists(path)
            ? path
            : throw new AgentException(AgentFault.ConfigurationNotFound, $"There is no configuration file '{path}'.", "Correct -ConfigPath.", path);
    }
}

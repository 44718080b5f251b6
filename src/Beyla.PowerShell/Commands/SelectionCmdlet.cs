using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Completion;

namespace Beyla.PowerShell.Commands;

/// <summary>The parameters that choose which processes are traced. All that are given must hold for a process.</summary>
public abstract class SelectionCmdlet : ConfiguredCmdlet
{
    private readonly List<int> _ids = [];

    /// <summary>Ports and port ranges: processes that listen on one of them are traced. 8080 and 9000-9010 are examples.</summary>
    [Parameter(Position = 0, ParameterSetName = ByConfiguration)]
    [ArgumentCompleter(typeof(ListeningPortCompleter))]
    [ValidateNotNullOrEmpty]
    public PortRange[]? OpenPort { get; set; }

    /// <summary>Glob that the full path of the executable must fit, such as */nginx or */python3*. Several are alternatives.</summary>
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

    /// <summary>Puts the trace context into outgoing requests; changes what the traced processes send, hence off by default.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    public ContextPropagation? ContextPropagation { get; set; }

    /// <summary>The processes that were named, each once.</summary>
    private protected IReadOnlyCollection<int> Ids => [.. _ids.Distinct()];

    /// <summary>Whether a parameter chooses processes.</summary>
    protected bool HasSelection => OpenPort is not null || Executable is not null || _ids.Count > 0 || Language is not null;

    /// <summary>Whether no parameter configures anything; the environment may.</summary>
    private protected bool ChoosesNothing => !HasSelection && ConfigPath is null && Setting is null;

    /// <summary>Collects the process ids that come through the pipeline.</summary>
    protected override void ProcessRecord() => _ids.AddRange(Id ?? []);

    /// <summary>Adds the selection to a command.</summary>
    protected AgentCommand Select(AgentCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return command
            .With("BEYLA_OPEN_PORT", Join(OpenPort))
            .With("BEYLA_AUTO_TARGET_EXE", Globs(Executable))
            .With("BEYLA_TARGET_PID", _ids.Count == 0 ? null : Join(Ids))
            .With("BEYLA_AUTO_TARGET_LANGUAGE", Globs(Language?.Select(l => l.ToString().ToLowerInvariant()).ToArray()))
            .With("BEYLA_BPF_CONTEXT_PROPAGATION", ContextPropagation?.ToString().ToLowerInvariant());
    }

    private static string? Globs(string[]? globs) => globs switch
    {
        null => null,
        [var only] => only,
        _ => "{" + string.Join(',', globs) + "}",
    };
}

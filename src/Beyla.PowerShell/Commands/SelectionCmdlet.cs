using System.Globalization;
using System.Management.Automation;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Completion;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Commands;

/// <summary>The parameters that choose which processes are traced. All that are given must hold for a process.</summary>
public abstract class SelectionCmdlet : ConfiguredCmdlet
{
    private readonly List<int> ids = [];

    /// <summary>Ports and port ranges, such as 8080 or 9000-9010: processes that listen on one of them are traced.</summary>
    [Parameter(Position = 0, ParameterSetName = ByConfiguration)]
    [ArgumentCompleter(typeof(ListeningPortCompleter))]
    [ValidateNotNullOrEmpty]
    public PortRange[]? OpenPort { get; set; }

    /// <summary>
    /// Glob that the full path of the executable must match, such as */nginx or */python3*; nginx alone matches no path. Several globs
    /// are alternatives. Processes that start later are found too.
    /// </summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ArgumentCompleter(typeof(ExecutableCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? Executable { get; set; }

    /// <summary>
    /// Names of processes that run now, with wildcards, such as nginx or python*. The name is the one that ps and top show
    /// (/proc/PID/comm); Get-Process does not always show the same. Children that these processes start are traced too. For programs
    /// that start later, use -OpenPort or -Executable.
    /// </summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ArgumentCompleter(typeof(ProcessNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    /// <summary>
    /// Process ids. The output of Get-Process and Get-BeylaFlow can be piped in; a flow without a known process is skipped.
    /// </summary>
    [Parameter(ParameterSetName = ByConfiguration, ValueFromPipelineByPropertyName = true)]
    [Alias("ProcessId", "PID", "OwningProcess")]
    [ArgumentCompleter(typeof(ProcessCompleter))]
    public int[]? Id { get; set; }

    /// <summary>Languages: processes that are written in one of them are traced.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ValidateNotNullOrEmpty]
    public ProcessLanguage[]? Language { get; set; }

    /// <summary>Adds the trace context to outgoing requests. Off by default, because it changes what the traced processes send.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    public ContextPropagation? ContextPropagation { get; set; }

    /// <summary>The processes that were named, each once.</summary>
    private protected IReadOnlyCollection<int> Ids => [.. this.ids.Distinct()];

    /// <summary>Whether a parameter chooses processes.</summary>
    protected bool HasSelection =>
        OpenPort is not null || Executable is not null || Name is not null || this.ids.Count > 0 || Language is not null;

    /// <summary>Whether no parameter configures anything; the environment may.</summary>
    private protected bool ChoosesNothing => !HasSelection && ConfigPath is null && Setting is null;

    /// <summary>Collects the process ids that come through the pipeline.</summary>
    protected override void ProcessRecord() => Guard(() => Collect(this.ids, Id));

    /// <summary>Finds the processes of -Name. Call it once, when the pipeline has ended.</summary>
    /// <exception cref="AgentException">There is none, and nothing else names one.</exception>
    private protected void FindNames()
    {
        if (Name is null)
        {
            return;
        }

        var absent = new List<string>();
        var running = ProcessList.Read().ToList();
        foreach (var name in Name)
        {
            var found = running.Where(ProcessNames.Fits(name)).Select(p => p.Id).ToList();
            if (found.Count == 0)
            {
                absent.Add(name);
            }

            this.ids.AddRange(found);
        }

        if (absent.Count == 0)
        {
            return;
        }

        var text = $"No process is named {string.Join(" or ", absent.Select(n => $"'{Visible.Text(n)}'"))} now.";
        if (this.ids.Count == 0)
        {
            throw new AgentException(AgentFault.ProcessNotFound, text,
                "-Name is compared with the names that ps and top show (Tab lists them). "
                + "What starts later is found by -OpenPort or -Executable.", Name);
        }

        WriteWarning(text);
    }

    /// <summary>Adds the selection to a command.</summary>
    protected AgentCommand Select(AgentCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        command.With("BEYLA_BPF_CONTEXT_PROPAGATION", ContextPropagation?.ToString().ToLowerInvariant());
        var (ports, globs, ids, languages) = (Join(OpenPort), Globs.Join(Executable), this.ids.Count == 0 ? null : Join(Ids),
            Globs.Join(Language?.Select(l => l.ToString().ToLowerInvariant()).ToArray()));
        if (ids is null || (ports ?? globs ?? languages) is null)
        {
            return command.With("BEYLA_OPEN_PORT", ports).With("BEYLA_AUTO_TARGET_EXE", globs).With("BEYLA_TARGET_PID", ids)
                .With("BEYLA_AUTO_TARGET_LANGUAGE", languages);
        }

        // As variables, process ids would rule alone; the fields of an entry all have to hold.
        string[] fields = [Field("target_pids", ids), Field("open_ports", ports), Field("exe_path", globs), Field("languages", languages)];
        return command.With("BEYLA_OPEN_PORT", "").With("BEYLA_AUTO_TARGET_EXE", "").With("BEYLA_TARGET_PID", "")
            .With("BEYLA_AUTO_TARGET_LANGUAGE", "")
            .WithSetting("discovery.instrument", $"[{{{string.Join(", ", fields.Where(f => f.Length > 0))}}}]");
    }

    /// <summary>What was asked for, for a message that none fits it.</summary>
    private protected string DescribeSelection()
    {
        IEnumerable<string> parts =
        [
            .. OpenPort is null ? [] : new[] { $"-OpenPort {Join(OpenPort)}" },
            .. Executable is null ? [] : new[] { $"-Executable {string.Join(", ", Executable.Select(Visible.Text))}" },
            .. Name is null ? [] : new[] { $"-Name {string.Join(", ", Name.Select(Visible.Text))}" },
            .. this.ids.Count == 0 || Name is not null ? []
            : new[] { $"-Id {string.Join(", ", Ids.Take(5))}{(Ids.Count > 5 ? ", …" : "")}" },
            .. Language is null ? [] : new[] { $"-Language {string.Join(", ", Language)}" },
        ];
        var never = Executable?.Where(Globs.FitsNoPath).Select(g => $"'*/{Visible.Text(g)}'").ToList() ?? [];
        return (string.Join(", ", parts) is { Length: > 0 } given
            ? $"No process matches {given} yet" : "No process matches the configuration yet")
            + "; one that comes later is traced then."
            + (never.Count == 0 ? "" : $" -Executable is compared with the whole path: {string.Join(", ", never)} may be meant.");
    }

    // A text in double quotes, as YAML and JSON have it.
    private static string Field(string name, string? value) => value is null ? "" : string.Create(CultureInfo.InvariantCulture,
        $"{name}: \"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
}

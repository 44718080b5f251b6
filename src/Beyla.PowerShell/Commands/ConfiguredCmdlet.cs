using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Commands;

/// <summary>
/// The parameters that reach every setting of the agent. All become documented variables or options, which win over a
/// configuration file.
/// </summary>
public abstract class ConfiguredCmdlet : BeylaCmdlet
{
    private protected const string ByConfiguration = "Configuration";

    /// <summary>Where the pages of the module are, for Get-Help -Online.</summary>
    private protected const string Pages = "https://github.com/beyla/beyla-powershell/blob/main/docs/powershell.md";

    private bool idsAreTyped;

    /// <summary>Configuration file in YAML, as the agent reads it. Parameters take precedence over it.</summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ValidateNotNullOrEmpty]
    public virtual string? ConfigPath { get; set; }

    /// <summary>
    /// Further settings of the agent, by their path in the configuration file, such as @{ 'ebpf.ring_size' = 64MB }. They take
    /// precedence over everything else. All settings are in docs/configuration.md.
    /// </summary>
    [Parameter(ParameterSetName = ByConfiguration)]
    [ValidateNotNull]
    public virtual IDictionary? Setting { get; set; }

    /// <summary>A command of the agent with the file and the settings.</summary>
    /// <param name="words">The arguments before the settings.</param>
    /// <exception cref="AgentException">There is no agent, or no such file.</exception>
    protected AgentCommand Command(params IEnumerable<string> words) => Command(words, readsInput: false);

    /// <summary>The same.</summary>
    /// <param name="words">The arguments before the settings.</param>
    /// <param name="readsInput">Whether the agent reads its standard input.</param>
    /// <exception cref="AgentException">There is no agent, or no such file.</exception>
    private protected AgentCommand Command(IEnumerable<string> words, bool readsInput) =>
        new AgentCommand(FindAgent(), [.. words, .. SettingArguments()])
        {
            Owner = Runspace.DefaultRunspace?.InstanceId ?? Guid.Empty, ReadsInput = readsInput,
        }
        .With("BEYLA_CONFIG_PATH", ConfigurationFile());

    /// <summary>A list as the agent reads it; null when there is none.</summary>
    protected static string? Join<T>(IEnumerable<T>? values) => values is null ? null : string.Join(',', values);

    /// <summary>
    /// Whether objects were to come by the pipeline and none did, as when Get-Process found nothing. Then there is
    /// nothing to do, and not everything.
    /// </summary>
    /// <param name="count">How many came.</param>
    private protected bool CameWithNothing(int count)
    {
        if (!MyInvocation.ExpectingInput || count > 0)
        {
            return false;
        }

        WriteVerbose("Nothing came through the pipeline: nothing is done.");
        return true;
    }

    /// <inheritdoc/>
    protected override void BeginProcessing() => idsAreTyped = MyInvocation.BoundParameters.ContainsKey("Id");

    /// <summary>
    /// Adds process ids to <paramref name="ids"/>. The 0 of an object of the pipeline, such as a flow whose process is not known, is
    /// passed over; a typed one is refused.
    /// </summary>
    /// <exception cref="AgentException">A typed id is not above zero.</exception>
    private protected void Collect(ICollection<int> ids, int[]? found)
    {
        foreach (var id in found ?? [])
        {
            if (id > 0)
            {
                ids.Add(id);
            }
            else if (idsAreTyped)
            {
                throw new AgentException(
                    AgentFault.ConfigurationInvalid,
                    string.Create(CultureInfo.InvariantCulture, $"-Id {id}: process ids begin at 1."), "Correct -Id.", id);
            }
        }
    }

    /// <summary>Warns of each process that is not there: waiting for it is what the agent does, and rarely what is meant.</summary>
    private protected void WarnOfAbsent(IEnumerable<int> ids)
    {
        foreach (var id in ids.Where(id => !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}"))))
        {
            WriteWarning(string.Create(CultureInfo.InvariantCulture, $"There is no process {id} now, or this user may not see it."));
        }
    }

    /// <summary>The agent says only what somebody will see.</summary>
    private protected string LogLevelText => WantsDebug ? "DEBUG" : "INFO";

    private bool WantsDebug => MyInvocation.BoundParameters.TryGetValue("Debug", out var debug) && debug is SwitchParameter asked
        ? asked.IsPresent
        : LanguagePrimitives.TryConvertTo<ActionPreference>(GetVariableValue("DebugPreference"), out var preference)
            && preference is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);

    private IEnumerable<string> SettingArguments()
    {
        foreach (DictionaryEntry entry in Setting ?? new Hashtable())
        {
            yield return "--set";
            yield return $"{entry.Key}={SettingText(entry.Value)}";
        }
    }

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

    private string? ConfigurationFile()
    {
        if (ConfigPath is null)
        {
            return null;
        }

        var path = FullPath(ConfigPath);
        return File.Exists(path)
            ? path
            : throw new AgentException(
                AgentFault.ConfigurationNotFound, $"There is no configuration file '{path}'.", "Correct -ConfigPath.", path);
    }
}

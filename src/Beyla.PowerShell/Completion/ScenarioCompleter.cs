namespace Beyla.PowerShell.Completion;

/// <summary>Completes the example scenarios of the documentation.</summary>
public sealed class ScenarioCompleter : Completer
{
    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word) =>
        Enum.GetValues<CapabilityScenario>().Select(s => new Proposal(s.ToString(), s.ToString(), Scenarios.Title(s)));
}

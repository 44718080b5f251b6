namespace Beyla.PowerShell.Completion;

/// <summary>Completes numbers of results.</summary>
public sealed class CountCompleter : Completer
{
    private static readonly string[] Usual = ["1", "10", "20", "100", "1000", "10000"];

    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word) =>
        Usual.Select(count => new Proposal(count, count, $"ends after {count} results"));
}

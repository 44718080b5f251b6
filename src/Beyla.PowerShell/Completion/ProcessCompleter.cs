using System.Globalization;

namespace Beyla.PowerShell.Completion;

/// <summary>Completes process ids; a name may be typed to find its processes.</summary>
public sealed class ProcessCompleter : Completer
{
    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word) =>
        ProcessList.Read().OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Id).Select(p =>
        {
            var id = p.Id.ToString(CultureInfo.InvariantCulture);
            return new Proposal(id, $"{id} {p.Name}", p.CommandLine);
        });
}

using System.Globalization;
using System.Management.Automation;

namespace Beyla.PowerShell.Completion;

/// <summary>Completes names of processes that run, as /proc/PID/comm has them.</summary>
public sealed class ProcessNameCompleter : Completer
{
    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word) =>
        ProcessList.Read().Where(p => p.Name.Length > 0).GroupBy(p => p.Name).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g =>
            new Proposal(
                WildcardPattern.Escape(g.Key), g.Key,
                $"process {string.Join(", ", g.Select(p => p.Id.ToString(CultureInfo.InvariantCulture)).Take(10))}: "
                    + $"{g.First().CommandLine}"));
}

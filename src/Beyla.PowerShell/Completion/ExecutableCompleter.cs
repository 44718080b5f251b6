namespace Beyla.PowerShell.Completion;

/// <summary>Completes executables with those that run, as globs of their file names and as full paths.</summary>
public sealed class ExecutableCompleter : Completer
{
    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word)
    {
        var running = ProcessList.Read().Where(p => p.Executable.StartsWith('/')).GroupBy(p => p.Executable)
            .OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        var globs = running.Select(g => new Proposal(
            "*/" + Path.GetFileName(g.Key), Path.GetFileName(g.Key), $"{g.Key}, process {string.Join(", ", g.Select(p => p.Id))}"));
        var paths = running.Select(g => new Proposal(g.Key, g.Key, $"process {string.Join(", ", g.Select(p => p.Id))}"));
        return globs.DistinctBy(p => p.Value).Concat(paths);
    }
}

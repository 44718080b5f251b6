using System.Globalization;

namespace Beyla.PowerShell.Completion;

/// <summary>
/// Completes ports with the TCP ports on which something listens here; the tooltip names the process where that may be seen.
/// </summary>
public sealed class ListeningPortCompleter : Completer
{
    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word)
    {
        var listeners = ListeningPorts.Read("/proc");
        var owners = Owners(listeners);
        foreach (var group in listeners.GroupBy(l => l.Port).OrderBy(g => g.Key))
        {
            var port = group.Key.ToString(CultureInfo.InvariantCulture);
            var names = group.Select(l => owners.GetValueOrDefault(l.Inode)).OfType<HostProcess>().Select(p => $"{p.Name} ({p.Id})")
                .Distinct().ToList();
            yield return new Proposal(port, names.Count == 0 ? port : $"{port} {names[0]}",
                names.Count == 0 ? $"port {port}, a process of another user" : string.Join(", ", names));
        }
    }

    private static Dictionary<ulong, HostProcess> Owners(IReadOnlyCollection<ListeningPort> listeners)
    {
        var wanted = listeners.Select(l => l.Inode).ToHashSet();
        var owners = new Dictionary<ulong, HostProcess>();
        foreach (var process in ProcessList.Read())
        {
            foreach (var inode in ProcessList.Sockets(process.Id))
            {
                if (wanted.Contains(inode))
                {
                    owners.TryAdd(inode, process);
                }
            }
        }

        return owners;
    }
}

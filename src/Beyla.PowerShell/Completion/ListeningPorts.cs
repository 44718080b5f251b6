using System.Globalization;

namespace Beyla.PowerShell.Completion;

/// <summary>A TCP socket that listens.</summary>
/// <param name="Port">Its port.</param>
/// <param name="Inode">Its inode, which names it in /proc/PID/fd.</param>
public readonly record struct ListeningPort(int Port, ulong Inode);

/// <summary>Reads the listening sockets of this network namespace from proc_net_tcp(5).</summary>
public static class ListeningPorts
{
    private const string Listen = "0A";

    /// <summary>IPv4 and IPv6; empty where proc cannot be read.</summary>
    /// <param name="root">Where proc is mounted.</param>
    public static IReadOnlyCollection<ListeningPort> Read(string root) =>
        [.. Parse(ProcessList.Text(Path.Combine(root, "net/tcp"))), .. Parse(ProcessList.Text(Path.Combine(root, "net/tcp6")))];

    /// <summary>
    /// The listening sockets in the text of <c>/proc/net/tcp</c> or <c>tcp6</c>; rows that are not understood are
    /// passed over.
    /// </summary>
    internal static IEnumerable<ListeningPort> Parse(string table)
    {
        foreach (var line in table.Split('\n').Skip(1))
        {
            // sl, local address:port, remote, state, queues, timer, retransmits, uid, timeout, inode
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 10 && fields[3] == Listen
                && int.TryParse(fields[1].AsSpan(fields[1].LastIndexOf(':') + 1), NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture, out var port)
                && ulong.TryParse(fields[9], NumberStyles.None, CultureInfo.InvariantCulture, out var inode))
            {
                yield return new ListeningPort(port, inode);
            }
        }
    }
}

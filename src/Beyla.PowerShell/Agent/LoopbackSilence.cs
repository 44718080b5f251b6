using System.Globalization;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Says that the traffic is on loopback, which is left out unless it is named: a database on the same host gives no
/// flow otherwise, and no hint.
/// </summary>
/// <param name="interval">How often flows are shown: before that nothing can have come. Null when all are shown at the end.</param>
/// <param name="isFiltered">Whether somebody else throws flows away: then some may have come and none be shown, and what counts is
/// where most packets went.</param>
/// <param name="root">Where proc is mounted.</param>
public sealed class LoopbackSilence(TimeSpan? interval, bool isFiltered, string root = "/proc") : ISilence
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1), Reading = TimeSpan.FromSeconds(0.5);

    private readonly TimeSpan? patience = (interval > Patience ? interval : interval is null ? null : Patience) + Reading;
    private readonly long before = Packets(root);
    private TimeSpan next;
    private long shown;
    private bool done;

    /// <inheritdoc/>
    public void OnLog(LogLine line)
    {
    }

    /// <inheritdoc/>
    public void OnResult(object value)
    {
        if (value is Flow flow)
        {
            shown += flow.Packets;
        }

        done |= !isFiltered;
    }

    /// <inheritdoc/>
    public string? Tell(TimeSpan attached, bool ending)
    {
        if (done || !(ending || (attached >= patience && attached >= next)))
        {
            return null;
        }

        next = attached + Reading;
        var left = Packets(root) - before;
        if (left <= shown)
        {
            return null;
        }

        done = true;
        return string.Create(CultureInfo.InvariantCulture,
            $"The loopback interface is left out, and {left} packets went through it; -Interface lo shows them.");
    }

    // Received on lo is what was sent there; proc_pid_net(5), one line an interface: name, bytes, packets.
    private static long Packets(string root)
    {
        try
        {
            foreach (var line in File.ReadLines(Path.Combine(root, "net/dev")))
            {
                var fields = line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
                if (fields is ["lo", _, var packets, ..]
                    && long.TryParse(packets, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                {
                    return count;
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Then there is nothing to say.
        }

        return 0;
    }
}

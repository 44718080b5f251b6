using System.Diagnostics;
using System.Globalization;

namespace Beyla.Benchmarks;

/// <summary>
/// A veth pair into a network namespace of the benchmark's own; the near end stays here. Everything goes when it is disposed.
/// </summary>
internal sealed class VethPair : IDisposable
{
    /// <summary>The far end's address.</summary>
    public const string Far = "10.249.7.2";

    /// <summary>An address that nobody has: what is sent there reaches the far end and is dropped without an answer.</summary>
    public const string Nobody = "10.249.7.99";

    private readonly string space = FormattableString.Invariant($"beylabench{Environment.ProcessId}");

    public VethPair()
    {
        Near = FormattableString.Invariant($"bb{Environment.ProcessId}");
        Ip("netns", "add", space);
        Ip("link", "add", Near, "type", "veth", "peer", "name", "far", "netns", space);
        Ip("address", "add", "10.249.7.1/24", "dev", Near);
        Ip("link", "set", Near, "up");
        Ip("-n", space, "address", "add", $"{Far}/24", "dev", "far");
        Ip("-n", space, "link", "set", "far", "up");
        Ip("-n", space, "link", "set", "lo", "up");
        Ip("neighbour", "add", Nobody, "lladdr", "02:00:00:00:00:63", "dev", Near);
    }

    /// <summary>The near end's name.</summary>
    public string Near { get; }

    /// <summary>A command that runs another one at the far end.</summary>
    public IReadOnlyList<string> Prefix => ["ip", "netns", "exec", space];

    /// <summary>Starts a program at the far end.</summary>
    public ChildProcess StartFar(params string[] command) => ChildProcess.Start(Prefix[0], [.. Prefix.Skip(1), .. command]);

    /// <summary>Packets that the near end has sent and received so far, as its interface counts them.</summary>
    public long Packets() => ((string[])["rx_packets", "tx_packets"]).Sum(name => long.Parse(
        File.ReadAllText($"/sys/class/net/{Near}/statistics/{name}"), CultureInfo.InvariantCulture));

    public void Dispose()
    {
        Ip("link", "delete", Near);
        Ip("netns", "delete", space);
    }

    private static void Ip(params string[] arguments)
    {
        using var ip = Process.Start("ip", arguments);
        ip.WaitForExit();
        if (ip.ExitCode != 0)
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"ip {string.Join(' ', arguments)} ended with {ip.ExitCode}"));
        }
    }
}

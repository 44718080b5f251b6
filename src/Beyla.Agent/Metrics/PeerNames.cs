using System.Text;

namespace Beyla.Agent.Metrics;

/// <summary>
/// What stands for the other side where only its address is known: one value for all, as Grafana Beyla has it
/// (<c>attributes.rename_unresolved_hosts</c>).
/// </summary>
/// <param name="incoming">A client.</param>
/// <param name="outgoing">A server.</param>
internal sealed class PeerNames(string incoming, string outgoing)
{
    private readonly byte[] client = Encoding.UTF8.GetBytes(incoming), server = Encoding.UTF8.GetBytes(outgoing);

    /// <summary>A client.</summary>
    internal ReadOnlySpan<byte> Incoming => client;

    /// <summary>A server.</summary>
    internal ReadOnlySpan<byte> Outgoing => server;
}

namespace Beyla.Agent.Kernel;

/// <summary>Places of connections in tables that keep what came last in each place.</summary>
internal static class ConnectionPlace
{
    /// <summary>
    /// A number of so many bits for an identity (<see cref="SocketEvent.Connection"/>), spread by the golden ratio (Knuth, The Art of
    /// Computer Programming, volume 3, section 6.4).
    /// </summary>
    /// <param name="connection">The identity.</param>
    /// <param name="bits">1 to 31.</param>
    internal static int Of(ulong connection, int bits) => (int)((connection * 0x9E3779B97F4A7C15) >> (64 - bits));
}

using System.Net;
using System.Net.Sockets;

namespace Beyla.Live.Tests.Rig;

/// <summary>TCP ports that nobody listens on.</summary>
internal static class FreePort
{
    private static int last = 20000 + Environment.ProcessId % 100 * 120;

    /// <summary>
    /// A port that is free on every address, below the range that the kernel gives to clients: no connection that somebody makes in between
    /// can take it, and no client's port is mistaken for the server's.
    /// </summary>
    public static int Next()
    {
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            int port = last = last >= 32000 ? 20000 : last + 1;
            using Socket probe = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }

        throw new InvalidOperationException("No free TCP port between 20000 and 32000.");
    }
}

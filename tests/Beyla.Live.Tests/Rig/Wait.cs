using System.Diagnostics;
using System.Net.Sockets;

namespace Beyla.Live.Tests.Rig;

/// <summary>Bounded waits.</summary>
internal static class Wait
{
    /// <summary>
    /// Only what hangs takes that long: how long things take is measured by the benchmarks, for a machine may be busy with other work.
    /// </summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    /// <summary>Waits until a condition holds.</summary>
    /// <returns>Whether it held in time.</returns>
    public static async Task<bool> UntilAsync(Func<bool> condition, TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > timeout)
            {
                return condition();
            }

            await Task.Delay(5);
        }

        return true;
    }

    /// <summary>Waits until something accepts connections on a port of this host.</summary>
    public static async Task ForPortAsync(string address, int port, ChildProcess server)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address, port);
                return;
            }
            catch (SocketException e)
            {
                if (server.HasExited || Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(20))
                {
                    throw new InvalidOperationException(
                        $"{server.Name} does not accept connections on {address} port {port}: {e.Message}. {server.Errors}", e);
                }
            }

            await Task.Delay(10);
        }
    }
}

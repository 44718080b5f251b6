using System.Net.Sockets;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Connects so that the thread which sends a request waits in the kernel for the answer. A socket that was ever told to go on meanwhile, as
/// the framework's own are, needs a thread for events and one of the pool for each wait instead: a third of what a request costs.
/// </summary>
internal static class BlockingConnection
{
    /// <summary>
    /// The framework looks at idle connections four times in this time, and each look makes a socket one of the other kind. A connection
    /// that the receiver has closed is noticed without it: the socket is asked before each request.
    /// </summary>
    internal static readonly TimeSpan IdleTimeout = TimeSpan.FromHours(4);

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>. Tries each address that the name has.</summary>
    /// <exception cref="SocketException">None of them answers.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    internal static ValueTask<Stream> Open(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using (cancellation.UnsafeRegister(static socket => ((Socket)socket!).Dispose(), socket))
            {
                socket.Connect(context.DnsEndPoint);
            }

            return ValueTask.FromResult<Stream>(new NetworkStream(socket, ownsSocket: true));
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            socket.Dispose();
            throw new OperationCanceledException(cancellation);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Live.Tests.Flows;

/// <summary>Clients of the owner tests; their sockets belong to the calling thread's namespace.</summary>
internal static class Clients
{
    /// <summary>Asks a server who answers; by the client's port.</summary>
    public static void AskPid(string address, int port, int count, Dictionary<int, int> pids)
    {
        byte[] buffer = new byte[100];
        for (int i = 0; i < count; i++)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(IPAddress.Parse(address), port);
            socket.Send("x"u8);
            int length = 0, n;
            while ((n = socket.Receive(buffer.AsSpan(length))) > 0)
            {
                length += n;
            }

            pids[((IPEndPoint)socket.LocalEndPoint!).Port] = int.Parse(
                Encoding.ASCII.GetString(buffer, 1, length - 1), CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Sends datagrams and waits for each answer.</summary>
    public static void Ask(string address, int port, int count)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 };
        socket.Connect(IPAddress.Parse(address), port);
        for (int i = 0; i < count; i++)
        {
            socket.Send("x"u8);
            socket.Receive(new byte[10]);
        }
    }

    /// <summary>Connects, and exchanges data when it is told to.</summary>
    public static void Hold(string address, int port, TaskCompletionSource connected, Task go)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Parse(address), port);
        connected.SetResult();
        go.Wait(TimeSpan.FromSeconds(30));
        socket.Send(new byte[100]);
        for (int got = 0; got < 100;)
        {
            got += socket.Receive(new byte[100]);
        }
    }
}

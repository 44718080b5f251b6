using System.Net;
using System.Net.Sockets;

namespace Beyla.Live.Tests.Flows;

/// <summary>Known traffic between the two sides of a lab, from this process.</summary>
internal static class Traffic
{
    /// <summary>A server that sends back what it gets, on each connection until that ends.</summary>
    public static Task Echo(FlowLab lab, string address, int port, int connections, TaskCompletionSource ready) =>
        FlowLab.RunInside(lab.Peer, () =>
    {
        using Socket listener = new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        listener.Listen(1024);
        ready.SetResult();
        byte[] buffer = new byte[65536];
        for (int i = 0; i < connections; i++)
        {
            using Socket connection = listener.Accept();
            for (int n; (n = connection.Receive(buffer)) > 0;)
            {
                connection.Send(buffer, n, SocketFlags.None);
            }
        }
    });

    /// <summary>Opens connections one after the other from the host side, sends and reads back.</summary>
    public static Task Connect(FlowLab lab, string address, int port, int connections, int bytes) => FlowLab.RunInside(lab.Host, () =>
    {
        byte[] data = new byte[bytes], back = new byte[bytes];
        for (int i = 0; i < connections; i++)
        {
            using Socket socket = new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(new IPEndPoint(IPAddress.Parse(address), port));
            // In portions that fit the buffers of both sides: neither waits for the other to read.
            for (int sent = 0; sent < bytes;)
            {
                int portion = Math.Min(bytes - sent, 100_000);
                socket.Send(data, portion, SocketFlags.None);
                sent += portion;
                for (int got = 0, n; got < portion; got += n)
                {
                    n = socket.Receive(back);
                    if (n == 0)
                    {
                        throw new IOException("the connection ended early");
                    }
                }
            }
        }
    });

    /// <summary>Both of the above.</summary>
    public static async Task Exchange(FlowLab lab, string address, int port, int connections, int bytes)
    {
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task echo = Echo(lab, address, port, connections, ready);
        await ready.Task;
        await Connect(lab, address, port, connections, bytes);
        await echo;
    }

    /// <summary>Sends datagrams from the host side.</summary>
    public static Task Datagrams(FlowLab lab, string address, int port, int count, int bytes) => FlowLab.RunInside(lab.Host, () =>
    {
        using Socket socket = new(IPAddress.Parse(address).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        for (int i = 0; i < count; i++)
        {
            socket.SendTo(new byte[bytes], new IPEndPoint(IPAddress.Parse(address), port));
        }
    });
}

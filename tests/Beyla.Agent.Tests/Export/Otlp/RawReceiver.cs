using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>A receiver that speaks HTTP/1.1 byte by byte: it answers as the test says, and keeps what came.</summary>
internal sealed class RawReceiver : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Func<NetworkStream, bool> answer;
    private readonly Thread thread;

    /// <param name="answer">Writes an answer; false closes the connection.</param>
    public RawReceiver(Func<NetworkStream, bool> answer)
    {
        this.answer = answer;
        listener.Start();
        thread = new Thread(Run) { IsBackground = true };
        thread.Start();
    }

    public RawReceiver(string answer)
        : this(stream => Write(stream, answer))
    {
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    public List<(string[] Head, byte[] Body)> Requests { get; } = [];

    public static bool Write(NetworkStream stream, string text)
    {
        stream.Write(Encoding.Latin1.GetBytes(text));
        return true;
    }

    public void Dispose()
    {
        listener.Stop();
        thread.Join();
        listener.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            try
            {
                using var client = listener.AcceptTcpClient();
                client.ReceiveTimeout = 10_000;
                using var stream = client.GetStream();
                while (Read(stream) && answer(stream))
                {
                }
            }
            catch (IOException)
            {
                // the agent closed it
            }
            catch (SocketException)
            {
                return;
            }
            catch (InvalidOperationException)
            {
                return;
            }
        }
    }

    private bool Read(NetworkStream stream)
    {
        var head = new List<byte>();
        while (head.Count < 4 || !head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            var next = stream.ReadByte();
            if (next < 0)
            {
                return false;
            }

            head.Add((byte)next);
        }

        var lines = Encoding.UTF8.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var length = lines.Single(static line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        var body = new byte[int.Parse(length[16..])];
        stream.ReadExactly(body);
        lock (Requests)
        {
            Requests.Add((lines, body));
        }

        return true;
    }
}

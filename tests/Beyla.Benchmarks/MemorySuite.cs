using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>Resident memory of the agent while 10,000 keep-alive connections are traced.</summary>
internal static class MemorySuite
{
    private const int Connections = 10_000, Rounds = 5;

    public static string Run(BenchmarkOptions options)
    {
        using var nginx = new Nginx();
        var (agent, _) = Agent.Trace(nginx.Port);
        using (agent)
        {
            var before = agent.MemoryKib("Pss") / 1024.0;
            var clients = new List<TcpClient>(Connections);
            try
            {
                var request = Encoding.ASCII.GetBytes($"GET /small HTTP/1.1\r\nHost: 127.0.0.1:{nginx.Port}\r\n\r\n");
                var buffer = new byte[16384];
                for (var i = 0; i < Connections; i++)
                {
                    clients.Add(new TcpClient("127.0.0.1", nginx.Port));
                }

                for (var round = 0; round < Rounds; round++)
                {
                    foreach (var client in clients)
                    {
                        client.GetStream().Write(request);
                        while (!buffer.AsSpan(0, client.GetStream().Read(buffer)).EndsWith("xxxx"u8))
                        {
                        }
                    }
                }

                Thread.Sleep(500);
                var (rss, anonymous) = (agent.MemoryKib("Pss") / 1024.0, agent.MemoryKib("Pss_Anon") / 1024.0);
                return new StringBuilder()
                    .AppendLine("## Memory")
                    .AppendLine()
                    .AppendLine(CultureInfo.InvariantCulture,
                        $"Resident memory of both processes after the start: {before:F1} MiB. With {Connections:N0} keep-alive connections "
                            + $"traced and {Rounds * Connections:N0} requests seen: {rss:F1} MiB (budget: 30 MB).")
                    .AppendLine(CultureInfo.InvariantCulture,
                        $"Of these, {anonymous:F1} MiB are the agent's own (anonymous); most of the rest is the ring buffer, which is "
                            + $"mapped from the kernel.")
                    .ToString();
            }
            finally
            {
                clients.ForEach(client => client.Dispose());
            }
        }
    }
}

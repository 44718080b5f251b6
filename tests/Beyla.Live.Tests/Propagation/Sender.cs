using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>A traced process that sends exactly what it is told to (Servers/Scripts/sender.py).</summary>
internal sealed class Sender : IAsyncDisposable
{
    private readonly TestServer server;

    private Sender(TestServer server) => this.server = server;

    public int Port => this.server.Port;

    public static async Task<Sender> StartAsync(TestCgroup group)
    {
        int port = FreePort.Next();
        string script = Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", "sender.py");
        return new Sender(await TestServer.StartAsync(
            port, [.. group.Prefix, Tool.Find("python3"), "-I", script, port.ToString(CultureInfo.InvariantCulture)]));
    }

    public async Task<Result> RunAsync(SendTask task)
    {
        using TcpClient client = new();
        await client.ConnectAsync("127.0.0.1", Port);
        await using NetworkStream stream = client.GetStream();
        await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(task));
        stream.WriteByte((byte)'\n');
        using StreamReader reader = new(stream);
        string line = await reader.ReadLineAsync() ?? throw new InvalidOperationException("The sender has ended.");
        return JsonSerializer.Deserialize<Result>(line)!;
    }

    public ValueTask DisposeAsync() => this.server.DisposeAsync();

    internal sealed record SendTask
    {
        [JsonPropertyName("host")]
        public string Host { get; init; } = "127.0.0.1";

        [JsonPropertyName("port")]
        public required int Port { get; init; }

        [JsonPropertyName("parts")]
        public required IReadOnlyList<byte[]> Parts { get; init; }

        [JsonPropertyName("pause")]
        public double Pause { get; init; } = 0.002;

        [JsonPropertyName("lockstep")]
        public bool Lockstep { get; init; }

        [JsonPropertyName("fastopen")]
        public bool FastOpen { get; init; }

        [JsonPropertyName("md5")]
        public string? Key { get; init; }

        [JsonPropertyName("keep")]
        public bool Keep { get; init; }

        [JsonPropertyName("greeting")]
        public int Greeting { get; init; }

        [JsonPropertyName("expect")]
        public int Expect { get; init; }
    }

    internal sealed record Result
    {
        [JsonPropertyName("received")]
        public int Received { get; init; }

        /// <summary>What FIONREAD said beside the bytes that were there, where that was less.</summary>
        [JsonPropertyName("readable")]
        public IReadOnlyList<int[]> Readable { get; init; } = [];

        [JsonPropertyName("error")]
        public string Error { get; init; } = "";
    }
}

using System.Net;

namespace Beyla.Live.Tests.Clients;

/// <summary>What one request asked for and was told.</summary>
internal readonly record struct Exchange(string Path, int Status);

/// <summary>Exactly as many requests as asked for, by .NET's own HTTP client.</summary>
internal static class HttpRequests
{
    /// <summary>Sends one request for each path over at most <paramref name="connections"/> keep-alive connections.</summary>
    /// <returns>What was answered, in the order of the paths.</returns>
    public static async Task<Exchange[]> SendAsync(int port, IReadOnlyList<string> paths, int connections = 8, string host = "127.0.0.1")
    {
        using SocketsHttpHandler handler = new()
        {
            MaxConnectionsPerServer = connections,
            AllowAutoRedirect = false,
            UseProxy = false,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
        };
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(40));
        using HttpMessageInvoker client = new(handler);
        Exchange[] exchanges = new Exchange[paths.Count];
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < paths.Count;)
            {
                using HttpRequestMessage request = new(HttpMethod.Get, $"http://{host}:{port}{paths[i]}")
                {
                    Version = HttpVersion.Version11,
                };
                using HttpResponseMessage response = await client.SendAsync(request, expired.Token);
                await response.Content.CopyToAsync(Stream.Null, expired.Token);
                exchanges[i] = new Exchange(paths[i], (int)response.StatusCode);
            }
        })));
        return exchanges;
    }

    /// <summary>The same path <paramref name="count"/> times.</summary>
    public static Task<Exchange[]> SendAsync(int port, int count, string path = "/hello", int connections = 8) =>
        SendAsync(port, [.. Enumerable.Repeat(path, count)], connections);
}

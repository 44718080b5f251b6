using System.Globalization;

namespace Beyla.Live.Tests.Context;

/// <summary>The client of a service: requests <c>GET /in/ID</c>, each with an id that no other request of this process has.</summary>
internal static class Requests
{
    private static int last = 1000;

    /// <summary>Sets ids aside.</summary>
    /// <returns>The first of them.</returns>
    public static int NextIds(int count) => Interlocked.Add(ref last, count) - count + 1;

    /// <summary>The id in a path: <c>/in/ID</c>, <c>/out/ID</c>, <c>/out/ID/2</c>.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public static int IdOf(string path) => int.Parse(path.Split('/', '?')[2], CultureInfo.InvariantCulture);

    /// <summary>The trace that a request with a traceparent belongs to, 32 hexadecimal digits.</summary>
    public static string TraceOf(int id) => $"0af7651916cd43dd8448{id:x12}";

    /// <summary>The span that a request with a traceparent comes from, 16 hexadecimal digits.</summary>
    public static string ParentOf(int id) => $"b7ad{id:x12}";

    /// <summary>Sends the requests of a case to a port of 127.0.0.1 and reads their responses.</summary>
    /// <param name="first">The id of the first one.</param>
    /// <exception cref="IOException">A response is no 200, or the connection ended before it did.</exception>
    public static async Task SendAsync(int port, LoadCase load, int first, CancellationToken cancellation)
    {
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, load.Concurrency).Select(_ => Task.Run(async () =>
        {
            using LoadConnection connection = new(port);
            for (int i; (i = Interlocked.Increment(ref next)) < load.Requests;)
            {
                int id = first + i;
                string query = load.Nesting == Nesting.Plain ? "" : "?" + load.Nesting.ToString().ToLowerInvariant();
                string head = $"GET /in/{id}{query} HTTP/1.1\r\nHost: service\r\n"
                    + (load.Traced ? $"traceparent: 00-{TraceOf(id)}-{ParentOf(id)}-01\r\n" : "")
                    + (load.KeepAlive ? "" : "Connection: close\r\n");
                await connection.ExchangeAsync(head + "\r\n", cancellation);
            }
        }, cancellation)));
    }
}

using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Context;

/// <summary>Where a service of a chain runs.</summary>
/// <param name="Prefix">A command that runs another there.</param>
/// <param name="Address">Where the test reaches it.</param>
internal sealed record ChainPlace(IReadOnlyList<string> Prefix, string Address = "127.0.0.1")
{
    /// <summary>Where it listens.</summary>
    public string Listens { get; init; } = Address;

    /// <summary>Where the service before it calls it.</summary>
    public string Called { get; init; } = Address;
}

/// <summary>
/// Four services in four languages, each of which asks the next one, and the last one a server that nobody traces: Python (threads), node
/// (a loop), Go, Java (a pool of threads).
/// </summary>
internal sealed class Chain : IAsyncDisposable
{
    /// <summary>How many spans a request has: each service serves it and makes a call.</summary>
    public const int SpansOfEach = 8;

    /// <summary>Programs that it needs.</summary>
    public static readonly string[] Needs = ["python3", "node", "go", "java", "javac"];

    private readonly TestServer[] services = new TestServer[4];
    private readonly Backend backend;
    private readonly ChainPlace[] places;

    private Chain(Backend backend, ChainPlace[] places) => (this.backend, this.places) = (backend, places);

    /// <summary>Ports that the services listen on, the first one's first.</summary>
    public int[] Ports => [.. this.services.Select(service => service.Port)];

    /// <summary>Starts it, from its end.</summary>
    /// <param name="places">Where each of the services runs.</param>
    /// <param name="keepsConnections">Whether the calls of a service share connections.</param>
    /// <param name="backend">What the last one asks, by an address that it can reach.</param>
    public static async Task<Chain> StartAsync(ChainPlace[] places, bool keepsConnections, Backend backend, string backendAddress)
    {
        Chain chain = new(backend, places);
        try
        {
            string next = $"{backendAddress}:{Text(backend.Port)}";
            for (int i = places.Length - 1; i >= 0; i--)
            {
                int port = FreePort.Next();
                string here = $"{places[i].Listens}:{Text(port)}";
                chain.services[i] = await TestServer.StartAsync(
                    port, [.. places[i].Prefix, .. await CommandAsync(i, here, next)], places[i].Address,
                    keepsConnections ? null : [KeyValuePair.Create("CLOSE", "1")]);
                next = $"{places[i].Called}:{Text(port)}";
            }

            return chain;
        }
        catch
        {
            await chain.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends requests, one after the other, on one connection.</summary>
    /// <returns>The id of the first one.</returns>
    public async Task<int> SendAsync(int count)
    {
        int first = Requests.NextIds(count);
        using LoadConnection connection = new(this.services[0].Port, this.places[0].Address);
        for (int id = first; id < first + count; id++)
        {
            await connection.ExchangeAsync($"GET /in/{Text(id)} HTTP/1.1\r\nHost: service\r\n\r\n", CancellationToken.None);
        }

        return first;
    }

    /// <summary>Holds the spans of requests against the truth: which service asks which.</summary>
    /// <param name="spans">Of all services.</param>
    /// <param name="first">The id of the first request that counts.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="sources">How each span is to know its parent, in the order of the way: what the first service serves, what it calls,
    /// what the second one serves. Where several are right they are parted by <c>|</c>; an empty one begins a trace.</param>
    public void Check(IEnumerable<SpanRecord> spans, int first, int count, IReadOnlyList<string> sources)
    {
        ILookup<int, SpanRecord> ofRequest = spans.ToLookup(span => Requests.IdOf(span["url.path"]));
        string[] faults = [.. Enumerable.Range(first, count).Select(id => Faults(ofRequest[id], sources)).Where(fault => fault.Length > 0)];
        Assert.True(faults.Length == 0, $"{faults.Length} of {count} requests:\n{string.Concat(faults.Take(2))}");
    }

    private string Faults(IEnumerable<SpanRecord> spans, IReadOnlyList<string> sources)
    {
        int[] ports = [.. Ports, this.backend.Port];
        SpanRecord[] way = [.. spans.OrderBy(span => 2 * Array.IndexOf(ports, span.ServerPort) - (span.Kind == "client" ? 1 : 0))];
        string[] expected = [.. Enumerable.Range(0, SpansOfEach).Select(i => $"{(i % 2 == 0 ? "server" : "client")} {ports[(i + 1) / 2]}")];
        if (!expected.SequenceEqual(way.Select(span => $"{span.Kind} {span.ServerPort}")))
        {
            return $"Spans are missing, or there are more:\n{string.Join('\n', way.Select(Describe))}\n";
        }

        string faults = "";
        for (int i = 0; i < way.Length; i++)
        {
            bool right = sources[i].Split('|').Contains(way[i].ParentSource) && (sources[i].Length == 0
                ? way[i].ParentId.Length == 0 && (i == 0 || way[i].TraceId != way[i - 1].TraceId)
                : way[i].ParentId == way[i - 1].SpanId && way[i].TraceId == way[i - 1].TraceId);
            faults += right ? "" : $"not by '{sources[i]}' below the one before: {Describe(way[i])}\n";
        }

        return faults;
    }

    private static string Describe(SpanRecord span) => string.Create(
        CultureInfo.InvariantCulture,
        $"{span.Kind} {span["url.path"]} {span.ServerPort}, pid {span.Pid}, {span.TraceId} {span.SpanId} below '{span.ParentId}' "
            + $"by '{span.ParentSource}'");

    public async ValueTask DisposeAsync()
    {
        foreach (TestServer? service in this.services)
        {
            if (service is not null)
            {
                await service.DisposeAsync();
            }
        }
    }

    private static async Task<string[]> CommandAsync(int number, string here, string next) => number switch
    {
        0 => [Tool.Find("python3"), "-I", Script("nested.py"), here, next],
        1 => [Tool.Find("node"), Script("nested.js"), here, next],
        2 => [await GoProgram.BuildAsync("nested"), here, next, "direct"],
        // The server of the JDK writes head and body apart: without nodelay the body waits for the acknowledgement of the head.
        _ =>
        [
            Tool.Find("java"), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dsun.net.httpserver.nodelay=true",
            Script("Nested.java"), here, next, "url",
        ],
    };

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", name);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

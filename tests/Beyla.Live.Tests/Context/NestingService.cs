using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Context;

/// <summary>A service that makes calls while it serves requests, each time in the way of another runtime.</summary>
/// <param name="Name">For tables.</param>
/// <param name="Exclusive">Whether a thread works for one request at a time, and makes its calls: then they are known exactly.</param>
/// <param name="StartAsync">Starts it in front of the backend on a port.</param>
internal sealed record NestingService(string Name, bool Exclusive, Func<int, Task<TestServer>> StartAsync)
{
    /// <summary>Whether it passes requests on as they are: a proxy, with the same path on both sides and nothing else to do.</summary>
    public bool IsProxy { get; private init; }

    /// <summary>Whether its calls carry the trace that came with the request, so that both are known to belong together.</summary>
    public bool CarriesTrace { get; private init; }

    /// <summary>Programs that the services need.</summary>
    public static readonly string[] Needs = ["python3", "node", "php", "puma", "java", "javac", "nginx", "haproxy", "go"];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NestingService> All { get; } =
    [
        new("Python, thread per connection", true, backend => StartOwnAsync(
            "python3", port => ["-I", Script("nested.py"), Text(port), Text(backend)])),
        new("PHP, 16 worker processes", true, backend => StartOwnAsync(
            "php", port => ["-S", $"127.0.0.1:{Text(port)}", Script("nested.php")],
            ("BACKEND", Text(backend)), ("PHP_CLI_SERVER_WORKERS", "16"))),
        new("Ruby, puma with 16 threads", true, backend => StartOwnAsync(
            "puma", port => ["-C", Script("nested_puma.rb"), "-b", $"tcp://127.0.0.1:{Text(port)}"], ("BACKEND", Text(backend)))),
        new("Java, thread pool, HttpURLConnection", true, backend => StartOwnAsync("java", port => Java(port, backend, "url"))),
        new("Java, thread pool, HttpClient", false, backend => StartOwnAsync("java", port => Java(port, backend, "client"))),
        new("node", false, backend => StartOwnAsync("node", port => [Script("nested.js"), Text(port), Text(backend)])),
        new("Python, asyncio streams", false, backend => StartOwnAsync(
            "python3", port => ["-I", Script("nested_asyncio.py"), Text(port), Text(backend)])),
        new(".NET, Kestrel and HttpClient, no logging", false, backend => StartKestrelAsync(backend)),
        new(".NET, Kestrel and HttpClient, as the template", false, backend => StartKestrelAsync(backend, "template"))
        {
            CarriesTrace = true,
        },
        new("Go, net/http", true, backend => StartGoAsync(backend, "direct")),
        new("Go before 1.21, call in a goroutine of its own", false, backend => StartGoAsync(backend, "child")),
        new("nginx, 2 workers", false, backend => NestingProxies.StartNginxAsync(backend)) { IsProxy = true, CarriesTrace = true },
        new("haproxy, 2 threads", false, NestingProxies.StartHaproxyAsync) { IsProxy = true, CarriesTrace = true },
    ];

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", name);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    // The server of the JDK writes head and body apart: without nodelay the body waits for the acknowledgement of the head.
    private static string[] Java(int port, int backend, string client) =>
    [
        "-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dsun.net.httpserver.nodelay=true",
        Script("Nested.java"), Text(port), Text(backend), client,
    ];

    private static Task<TestServer> StartKestrelAsync(int backend, params string[] more)
    {
        int port = FreePort.Next();
        return TestServer.StartAsync(port, [Path.Combine(AppContext.BaseDirectory, "KestrelServer"), Text(port), Text(backend), .. more]);
    }

    private static async Task<TestServer> StartGoAsync(int backend, string mode)
    {
        string binary = await GoProgram.BuildAsync("nested");
        int port = FreePort.Next();
        return await TestServer.StartAsync(port, [binary, Text(port), Text(backend), mode]);
    }

    private static Task<TestServer> StartOwnAsync(
        string program, Func<int, string[]> arguments, params (string Name, string Value)[] environment)
    {
        int port = FreePort.Next();
        return TestServer.StartAsync(
            port, [Tool.Find(program), .. arguments(port)],
            environment: environment.Select(one => KeyValuePair.Create(one.Name, one.Value)));
    }
}

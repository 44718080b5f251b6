using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>The servers that the live tests trace, all but nginx (<see cref="Nginx"/>).</summary>
internal static class ServerKinds
{
    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", name);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Python's http.server: <c>threading</c>, <c>forking</c>, <c>passing</c> or <c>http10</c>.</summary>
    /// <param name="program">A copy of python3 that is to run it.</param>
    public static Task<TestServer> PythonAsync(
        string mode = "threading", int? port = null, IEnumerable<KeyValuePair<string, string>>? environment = null,
        OwnProgram? program = null) =>
        OnPort(port, number => TestServer.StartAsync(
            number, [program?.Path ?? Tool.Find("python3"), "-I", Script("server.py"), Text(number), mode], environment: environment));

    /// <summary>Python's http.server run by another command, such as <c>ip netns exec</c>; ready when it says so.</summary>
    public static Task<TestServer> PythonInsideAsync(IReadOnlyList<string> prefix) =>
        OnPort(null, number => TestServer.StartAsync(
            number, [.. prefix, Tool.Find("python3"), "-I", Script("server.py"), Text(number), "threading"], address: null));

    /// <summary>A server of one script of Servers/Scripts, which is given its port and more.</summary>
    public static Task<TestServer> ScriptAsync(string name, params string[] more) =>
        OnPort(null, number => TestServer.StartAsync(number, [Tool.Find("python3"), "-I", Script(name), Text(number), .. more]));

    /// <summary>An HTTP server in Python that asks PostgreSQL once and Redis twice for each request.</summary>
    public static Task<TestServer> ShopAsync(int postgres, int redis) => OnPort(null, number => TestServer.StartAsync(
        number, [Tool.Find("python3"), "-I", Script("shop.py"), Text(number), Text(postgres), Text(redis)]));

    /// <summary>node's http server; with workers, sockets are accepted by the first process and passed to them.</summary>
    /// <param name="program">A copy of node that is to run it.</param>
    public static async Task<TestServer> NodeAsync(int workers = 0, OwnProgram? program = null)
    {
        int port = FreePort.Next();
        TestServer server = await TestServer.StartAsync(
            port, [program?.Path ?? Tool.Find("node"), Script("server.js"), Text(port), Text(workers)]);
        if (!await Wait.UntilAsync(() => server.Process.Output.Contains("serving", StringComparison.Ordinal), Wait.Hang))
        {
            throw new InvalidOperationException($"node does not serve: {server.Process.Errors}");
        }

        return server;
    }

    /// <summary>Kestrel, by tests/KestrelServer.</summary>
    public static Task<TestServer> KestrelAsync() =>
        OnPort(null, number => TestServer.StartAsync(number, [Path.Combine(AppContext.BaseDirectory, "KestrelServer"), Text(number)]));

    /// <summary>busybox httpd, which forks for each connection and speaks HTTP/1.0.</summary>
    public static Task<TestServer> BusyboxAsync()
    {
        TempDirectory files = new();
        files.Write("index.html", "hello\n");
        return OnPort(null, number => TestServer.StartAsync(
            number, [Tool.Find("busybox"), "httpd", "-f", "-p", Text(number), "-h", files.Path], files: files));
    }

    /// <summary>tests/native/traffic.c, whose system calls are <paramref name="calls"/>: read, recv, msg or vec.</summary>
    public static async Task<TestServer> NativeAsync(string calls)
    {
        string binary = await NativeProgram.BuildAsync("traffic");
        return await OnPort(null, number => TestServer.StartAsync(number, [binary, "serve", Text(number), calls]));
    }

    /// <summary>
    /// tests/native/late.c: server and client in one, of connections that are over before their last bytes are read. Begins when its input
    /// ends.
    /// </summary>
    public static async Task<TestServer> LateAsync(int count)
    {
        string binary = await NativeProgram.BuildAsync("late");
        return await OnPort(null, number => TestServer.StartAsync(number, [binary, Text(number), Text(count)], address: null));
    }

    /// <summary>
    /// tests/native/sending.c, which says what its sockets took of its answers; run by another command where there is one.
    /// </summary>
    public static async Task<TestServer> SendingAsync(params string[] prefix)
    {
        string binary = await NativeProgram.BuildAsync("sending");
        return await OnPort(null, number => TestServer.StartAsync(number, [.. prefix, binary, "serve", Text(number)], address: null));
    }

    private static Task<TestServer> OnPort(int? port, Func<int, Task<TestServer>> start) => start(port ?? FreePort.Next());
}

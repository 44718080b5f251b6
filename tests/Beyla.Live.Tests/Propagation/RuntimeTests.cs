using System.Diagnostics;
using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>
/// Services in many runtimes hand bodies on and back, while contexts travel in both ways: not a byte of the bodies is changed, and a header
/// is in the first request of each connection and in no other.
/// </summary>
public sealed class RuntimeTests
{
    private static readonly int[] Sizes = [1, 2, 100, 1000, 1400, 4096, 8191, 8192, 16_384, 65_536, 100_000, 300_000];

    [RuntimeTheory]
    [InlineData("python", false)]
    [InlineData("python", true)]
    [InlineData("node http", false)]
    [InlineData("node http", true)]
    [InlineData("node fetch", false)]
    [InlineData("node fetch", true)]
    [InlineData("Go", false)]
    [InlineData("Go", true)]
    [InlineData("Java HttpURLConnection", false)]
    [InlineData("Java HttpURLConnection", true)]
    [InlineData("Java HttpClient", false)]
    [InlineData("Kestrel", false)]
    [InlineData("Kestrel", true)]
    [InlineData("Kestrel, as the template", false)]
    public async Task Bodies_are_what_they_were(string runtime, bool closes)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Echo echo = new();
        await using TestServer server = await StartAsync(group, runtime, echo.Port, closes);
        await using AgentProcess agent = await PassingAgent.StartAsync(AgentSettings.ForPorts(server.Port), "all");
        int sent = 0;
        using HttpClient client = new();
        // The test's own client names a trace in the environment of a test run.
        Activity.Current = null;
        for (int round = 0; round < 3; round++)
        {
            foreach (int size in Sizes)
            {
                byte[] body = new byte[size];
                new Random(size).NextBytes(body);
                using HttpResponseMessage response =
                    await client.PostAsync($"http://127.0.0.1:{server.Port}/in/{++sent}", new ByteArrayContent(body));
                Assert.True(response.IsSuccessStatusCode, $"{size} bytes: {response.StatusCode}");
                byte[] back = await response.Content.ReadAsByteArrayAsync();
                Assert.True(body.AsSpan().SequenceEqual(back), $"{size} bytes came back changed.");
            }
        }

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(2 * sent, static _ => true);
        await agent.StopAsync();
        Assert.Equal(sent, spans.Count(static span => span.Kind == SpanKind.Client));
        Assert.Equal(Enumerable.Repeat(Sizes, 3).SelectMany(static sizes => sizes), echo.Requests.Select(static request => request.Body));
        Assert.All(echo.Requests, request => Assert.True(!closes || request.Number == 0));
        Assert.True(closes || echo.Requests.Any(static request => request.Number > 1));
        bool own = runtime == "Kestrel, as the template";
        Assert.All(echo.Requests, request => Assert.Equal(own || request.Number == 0 ? 1 : 0, request.Contexts.Count));
        Assert.All(echo.Requests.SelectMany(static request => request.Contexts), static one =>
            Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", one));
        // What was sent is what the spans say.
        Assert.Equal(
            echo.Requests.SelectMany(static request => request.Contexts).Select(static one => one.Split('-')[2]).Order(),
            spans.Where(span => span.Kind == SpanKind.Client && echo.Requests.Any(request => request.Contexts.Any(
                one => one.Contains(span.SpanId, StringComparison.Ordinal)))).Select(static span => span.SpanId).Order());
    }

    private static async Task<TestServer> StartAsync(TestCgroup group, string runtime, int backend, bool closes)
    {
        int port = FreePort.Next();
        string here = Text(port), there = Text(backend);
        string[] java = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dsun.net.httpserver.nodelay=true", Script("Nested.java"), here, there];
        string kestrel = Path.Combine(AppContext.BaseDirectory, "KestrelServer");
        string[] command = runtime switch
        {
            "python" => [Tool.Find("python3"), "-I", Script("nested.py"), here, there],
            "node http" => [Tool.Find("node"), Script("nested.js"), here, there],
            "node fetch" => [Tool.Find("node"), Script("nested.js"), here, there, "fetch"],
            "Go" => [await GoProgram.BuildAsync("nested"), here, there, "direct"],
            "Java HttpURLConnection" => [Tool.Find("java"), .. java, "url"],
            "Java HttpClient" => [Tool.Find("java"), .. java, "client"],
            "Kestrel" => [kestrel, here, there],
            _ => [kestrel, here, there, "template"],
        };
        return await TestServer.StartAsync(
            port, [.. group.Prefix, .. command], environment: closes ? [KeyValuePair.Create("CLOSE", "1")] : null);
    }

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", name);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary><see cref="LiveTheoryAttribute"/> that needs the runtimes.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RuntimeTheoryAttribute : TheoryAttribute
{
    public RuntimeTheoryAttribute()
    {
        Skip = LiveConditions.ReasonToSkip(["python3", "node", "go", "java", "javac"]);
        Timeout = LiveConditions.Limit;
    }
}

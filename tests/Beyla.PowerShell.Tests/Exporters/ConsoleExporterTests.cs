using System.Diagnostics;
using System.Runtime.Loader;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Exporters;

namespace Beyla.PowerShell.Tests.Exporters;

/// <summary>
/// What OpenTelemetry's exporter says of a request in OTLP JSON: identities, times and attributes are those of the request. They are set
/// in fields of a class of .NET that has no other way, so this fails where a version of it is otherwise.
/// </summary>
public sealed class ConsoleExporterTests : IDisposable
{
    /// <summary>A request as the protocol has it (opentelemetry-proto, examples/trace.json), with a value of every type.</summary>
    private static readonly string Request = """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},"scopeSpans":[{"scope":
        {"name":"my.library","version":"1.0.0"},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
        "parentSpanId":"eee19b7ec3c1b173","traceState":"rojo=1","flags":257,"name":"I'm a server span","kind":2,
        "startTimeUnixNano":"1544712660123456000","endTimeUnixNano":"1544712661000000000","attributes":[
        {"key":"my.text","value":{"stringValue":"some\u001bvalue"}},{"key":"my.number","value":{"intValue":"9007199254740993"}},
        {"key":"my.double","value":{"doubleValue":0.5}},{"key":"my.flag","value":{"boolValue":true}},
        {"key":"my.list","value":{"arrayValue":{"values":[{"stringValue":"one"},{"stringValue":"two"}]}}},{"key":"my.nothing","value":{}}],
        "status":{"code":2,"message":"broken"},"news":[1]},{"traceId":"5b8efff798038103d269b633813fc60d","spanId":"00000000000000ff",
        "flags":256,"name":"root","kind":3,"startTimeUnixNano":"0","endTimeUnixNano":"1000"}]}]},{"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"other"}}]},"scopeSpans":[{"scope":{"name":"my.library"},"spans":[
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"third","kind":1,
        "startTimeUnixNano":"1544712660123456000","endTimeUnixNano":"1544712660123456000","status":{}}]}]}]}
        """.ReplaceLineEndings("");

    private static readonly string[] First =
    [
        "Activity.TraceId: 5b8efff798038103d269b633813fc60c", "Activity.SpanId: eee19b7ec3c1b174",
        "Activity.ParentSpanId: eee19b7ec3c1b173",
        "Activity.TraceState: rojo=1", "Activity.TraceFlags: Recorded", "Activity.DisplayName: I'm a server span", "Activity.Kind: Server",
        "Activity.StartTime: 2018-12-13T14:51:00.1234560Z", "Activity.Duration: 00:00:00.8765440", @"my.text: some\x1bvalue",
        "my.number: 9007199254740993", "my.double: 0.5", "my.flag: true", """my.list: ["one","two"]""", "StatusCode: Error",
        "Activity.StatusDescription: broken", "Name: my.library", "Version: 1.0.0", "service.name: my.service",
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("beyla-exporter-").FullName;

    private static string Module
    {
        get
        {
            var root = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(root, "Beyla.slnx")))
            {
                root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("the tests run outside the repository");
            }

            return Path.Combine(root, "out/modules/Beyla");
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_request_is_shown_with_all_that_it_says() => Check(Print(Request));

    [Fact]
    public void Several_requests_are_shown_one_behind_the_other()
    {
        var once = Print(Request);
        Assert.Equal([.. once, .. once], Print(Request, Request));
        Assert.Empty(Print("{}"));
    }

    /// <summary>The runtime of PowerShell 7.4 brings another version of that class than the one of PowerShell 7.6.</summary>
    [Fact]
    public void It_is_the_same_on_the_oldest_runtime()
    {
        var request = Path.Combine(folder, "request");
        File.WriteAllText(request, Request);
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var builds = Path.GetFullPath(Path.Combine(Module, "../../build/bin/OldestRuntime"));
        var program = Assert.Single(Directory.EnumerateDirectories(builds, configuration + "*"));
        var start = new ProcessStartInfo(Path.Combine(program, "OldestRuntime"), [Module, request]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;

        var lines = process.StandardOutput.ReadToEnd().TrimEnd('\n').Split('\n');

        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.StartsWith(".NET 8.", lines[0], StringComparison.Ordinal);
        Check([.. lines[1..], ""]);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("""{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"no","spanId":"00000000000000ff","name":"x"}]}]}]}""")]
    [InlineData("""{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":5}]}]}]}""")]
    [InlineData("""{"resourceSpans":7}""")]
    public void What_is_no_request_is_an_error_of_the_module(string text) =>
        Assert.Equal(AgentFault.StreamInvalid, Assert.Throws<AgentException>(() => Print(text)).Kind);

    [Fact]
    public void Nothing_of_it_is_in_the_context_of_others()
    {
        Print(Request);

        Assert.DoesNotContain(AssemblyLoadContext.Default.Assemblies, IsForeign);
        Assert.All(AssemblyLoadContext.All.Where(c => c.Name == "Beyla exporter"), c => Assert.Contains(c.Assemblies, IsForeign));

        static bool IsForeign(System.Reflection.Assembly assembly) =>
            assembly.GetName().Name!.StartsWith("OpenTelemetry", StringComparison.Ordinal);
    }

    private static void Check(IReadOnlyList<string> lines)
    {
        var spans = string.Join('\n', lines).Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(span => span.Split('\n').Select(Field).ToList()).ToList();
        Assert.Equal(3, spans.Count);
        Assert.Superset(First.ToHashSet(), spans[0].ToHashSet());
        Assert.DoesNotContain(spans[0], line => line.StartsWith("my.nothing", StringComparison.Ordinal));
        // Ids and times of a root without flags, at the beginning of time.
        Assert.Superset(
            new HashSet<string>
            {
                "Activity.TraceId: 5b8efff798038103d269b633813fc60d", "Activity.SpanId: 00000000000000ff", "Activity.TraceFlags: None",
                "Activity.Kind: Client", "Activity.StartTime: 1970-01-01T00:00:00.0000000Z", "Activity.Duration: 00:00:00.0000010",
                "service.name: my.service",
            },
            spans[1].ToHashSet());
        Assert.DoesNotContain(spans[1], line => line.StartsWith("Activity.ParentSpanId", StringComparison.Ordinal));
        Assert.Superset(
            new HashSet<string> { "Activity.SpanId: eee19b7ec3c1b175", "Activity.Kind: Internal", "service.name: other" },
            spans[2].ToHashSet());
        Assert.DoesNotContain(spans.Skip(1).SelectMany(span => span), line => line.StartsWith("StatusCode", StringComparison.Ordinal));
    }

    // Names and values, without what makes columns of them.
    private static string Field(string line) => string.Join(": ", line.Split(':', 2, StringSplitOptions.TrimEntries));

    private static IReadOnlyList<string> Print(params string[] requests)
    {
        var print = ConsoleExporter.Load(Module);
        return [.. requests.SelectMany(print)];
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Counting;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Processes.Inspections.Go;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Live.Tests.Go;

/// <summary>Events of a Go program carry the goroutine: of the operation, and of a call over HTTP the one that made it.</summary>
public sealed class GoroutineTests
{
    private const int Requests = 400, Connections = 32;

    /// <summary>How programs are built: what the linker leaves out or moves must not matter.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (string source in SocketSourcesAttribute.Names)
            {
                cases.Add(source, "plain");
            }

            cases.Add(SocketSourcesAttribute.Names[0], "stripped");
            cases.Add(SocketSourcesAttribute.Names[0], "pie");
            cases.Add(SocketSourcesAttribute.Names[0], "external");
            return cases;
        }
    }

    [LiveTheory("go", "gcc"), MemberData(nameof(Cases))]
    public async Task A_call_over_HTTP_is_that_of_the_goroutine_that_read_the_request(string source, string variant)
    {
        string binary = await GoProgram.BuildAsync("nested", variant, Flags(variant));
        int leafPort = FreePort.Next(), port = FreePort.Next();
        await using TestServer leaf = await TestServer.StartAsync(leafPort, [binary, Text(leafPort), "0", "leaf"]);
        await using TestServer server = await TestServer.StartAsync(port, [binary, Text(port), Text(leafPort), "direct"]);

        using Watcher watcher = Watcher.Open(new WatcherNeeds());
        using SocketSource sockets = SocketSource.Open(
            Enum.Parse<SocketSourceKind>(source, ignoreCase: true), watcher.Selection, 8 << 20, detectsSql: false,
            ContextPropagation.Disabled, static (_, _) => { });
        using GoPrograms programs = new(watcher.Selection, sockets);
        using RingBuffer ring = new(sockets.Ring);
        GoExecutable executable = Read(binary);
        Assert.StartsWith("go1.", executable.Version, StringComparison.Ordinal);
        Assert.Null(executable.Trouble);
        using SafeFileHandle file = File.OpenHandle(binary);
        using IDisposable probe = programs.Attach(
            null, server.Pid, (int)file.DangerousGetHandle(), executable.RoundTrip, writeBody: 0);
        programs.Begin(server.Pid, executable.Offsets!.Value);
        watcher.Selection.Select(server.Pid);
        watcher.Selection.Capture(true);

        string[] paths = [.. Enumerable.Range(0, Requests).Select(static i => $"/in/{i}?before")];
        Exchange[] exchanges = await HttpRequests.SendAsync(port, paths, Connections);
        Assert.All(exchanges, static exchange => Assert.Equal(200, exchange.Status));

        Heads heads = new(server.Pid, port, leafPort);
        ring.Drain(heads, ring.End);
        PlaceCounters[] places = new PlaceCounters[IKeeperHost.MaximumPlaces];
        _ = sockets.Count(places);
        Assert.Equal(0, places[0].Lost);
        Assert.Equal(Requests, heads.Received.Count);
        Assert.Equal(Requests, heads.Called.Count);
        Assert.Equal(0, heads.Without);
        Assert.All(heads.Called, call => Assert.True(call.Value.IsCalled, $"{call.Key}: who called is not told"));
        Assert.All(heads.Called, call => Assert.Equal(heads.Received[call.Key].Goroutine, call.Value.Goroutine));
        Assert.InRange(heads.Received.Values.Select(static head => head.Goroutine).Distinct().Count(), Connections / 2, Connections);
        Assert.All(heads.Answered, answer => Assert.Contains(answer, heads.Received.Values.Select(static head => head.Goroutine)));
    }

    /// <summary>What is no Go program, or is no longer one, has none.</summary>
    [LiveFact("go", "gcc")]
    public async Task A_process_that_is_not_marked_has_no_goroutines()
    {
        string binary = await GoProgram.BuildAsync("nested");
        int port = FreePort.Next();
        await using TestServer server = await TestServer.StartAsync(port, [binary, Text(port), "0", "leaf"]);
        using Watcher watcher = Watcher.Open(new WatcherNeeds());
        using SocketSource sockets = SocketSource.Open(
            SocketSourceKind.Auto, watcher.Selection, 8 << 20, detectsSql: false,
            ContextPropagation.Disabled, static (_, _) => { });
        using GoPrograms programs = new(watcher.Selection, sockets);
        using RingBuffer ring = new(sockets.Ring);
        programs.Begin(server.Pid, Read(binary).Offsets!.Value);
        programs.Forget(server.Pid);
        watcher.Selection.Select(server.Pid);
        watcher.Selection.Capture(true);
        await HttpRequests.SendAsync(port, [.. Enumerable.Range(0, 10).Select(static i => $"/{i}")], connections: 1);
        Heads heads = new(server.Pid, port, 0);
        ring.Drain(heads, ring.End);
        Assert.Equal(10, heads.Received.Count);
        Assert.All(heads.Received.Values, static head => Assert.Equal(0u, head.Goroutine));
        Assert.All(heads.Answered, static goroutine => Assert.Equal(0u, goroutine));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string[] Flags(string variant) => variant switch
    {
        "stripped" => ["-ldflags", "-s -w"],
        "pie" => ["-buildmode", "pie"],
        "external" => ["-ldflags", "-linkmode external -s -w"],
        _ => [],
    };

    private static GoExecutable Read(string path)
    {
        using var file = File.OpenHandle(path);
        InspectionBudget budget = new();
        budget.Begin(TimeSpan.FromMinutes(1));
        return GoExecutable.Read((int)file.DangerousGetHandle(), default, budget);
    }

    private readonly record struct Head(ulong Goroutine, bool IsCalled);

    /// <summary>The requests and responses of one process by the path, which says which belong together.</summary>
    private sealed class Heads(int pid, int port, int next) : IRingSink
    {
        public Dictionary<string, Head> Received { get; } = [];

        public Dictionary<string, Head> Called { get; } = [];

        public List<ulong> Answered { get; } = [];

        public int Without { get; private set; }

        public void OnRecord(ReadOnlySpan<byte> record)
        {
            SocketEvent e = MemoryMarshal.Read<SocketEvent>(record);
            if (e.Kind != SocketEventKind.Data || e.Pid != pid)
            {
                return;
            }

            Without += e.Goroutine == 0 ? 1 : 0;
            string text = Encoding.ASCII.GetString(record.Slice(Unsafe.SizeOf<SocketEvent>(), e.Captured));
            Head head = new(e.Goroutine, e.Flags.HasFlag(SocketEventFlags.Called));
            if (e.LocalPort == port && text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal))
            {
                Answered.Add(e.Goroutine);
            }

            // net/http waits for the next request on another goroutine, which may read its first byte.
            if (!text.StartsWith("GET ", StringComparison.Ordinal) && !text.StartsWith("ET ", StringComparison.Ordinal))
            {
                return;
            }

            string path = text.Split(' ', '?')[1].Split('/')[^1];
            if (e.LocalPort == port && e.Direction == SocketDirection.Receive)
            {
                Received.Add(path, head);
            }
            else if (e.RemotePort == next && e.Direction == SocketDirection.Send)
            {
                Called.Add(path, head);
            }
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Processes.Inspections.Go;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Propagation;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Live.Tests.Go;

/// <summary>
/// The kernel side knows, probably, the request of a goroutine that was started for it, from Go 1.21 on. Debian's Go is older: its program
/// keeps itself who has started its goroutines (tests/go/started).
/// </summary>
public sealed class StarterTests
{
    /// <summary>Where it keeps that in the struct g (g_amd64.s).</summary>
    private const uint Starter = 320;

    [LiveFact("go", "gcc")]
    public async Task A_call_of_a_goroutine_has_the_request_for_which_that_was_started()
    {
        string[] paths = [.. Enumerable.Range(100, 400).Select(static id => $"/in/{id}")];
        Contexts contexts = await ReadAsync(paths, connections: 32);
        Assert.Equal(400, contexts.Called.Count);
        // Numbers do not always grow with time: each processor has some in stock. What may be older than its request has none.
        Assert.InRange(contexts.Called.Values.Count(static call => call.Source == SocketContextSource.Agreement), 300, 400);
        Assert.All(contexts.Called.Where(static call => call.Value.Source != SocketContextSource.Fresh), call =>
        {
            Assert.Equal(SocketContextSource.Agreement, call.Value.Source);
            SocketContext request = contexts.Received[call.Key];
            Assert.Equal(request.Span, call.Value.Parent);
            Assert.Equal((request.TraceHigh, request.TraceLow), (call.Value.TraceHigh, call.Value.TraceLow));
        });
    }

    /// <summary>What an earlier request of the same connection has left behind works for none.</summary>
    [LiveFact("go", "gcc")]
    public async Task A_call_of_a_goroutine_that_is_older_than_the_request_has_none()
    {
        Contexts contexts = await ReadAsync(["/left/1", "/in/2", "/in/3", "/late/4", "/in/5"], connections: 1);
        Assert.Equal(["1", "2", "3", "4", "5"], contexts.Called.Keys.Order());
        Assert.Equal((SocketContextSource.Fresh, 0UL), (contexts.Called["4"].Source, contexts.Called["4"].Parent));
        Assert.Equal(contexts.Received["1"].Span, contexts.Called["1"].Parent);
    }

    private static async Task<Contexts> ReadAsync(string[] paths, int connections)
    {
        string binary = await GoProgram.BuildAsync("started"), leafBinary = await GoProgram.BuildAsync("nested");
        await using TestCgroup group = TestCgroup.Create();
        await using TestServer leaf = await Hops.StartAsync(group, port => [leafBinary, port, "0", "leaf"]);
        await using TestServer server = await Hops.StartAsync(group, port => [binary, port, Hops.Text(leaf.Port)]);

        using Watcher watcher = Watcher.Open(new WatcherNeeds());
        using SocketSource sockets = SocketSource.Open(
            SocketSourceKind.Auto, watcher.Selection, 8 << 20, detectsSql: false, ContextPropagation.Tcp, static (_, _) => { });
        using PropagationPrograms propagation =
            PropagationPrograms.Open(ContextPropagation.Tcp, sockets, watcher.Selection, TestCgroup.Mount!);
        propagation.Attach(group.Name);
        using GoPrograms programs = new(watcher.Selection, sockets);
        using RingBuffer ring = new(sockets.Ring);
        GoExecutable executable = Read(binary);
        using SafeFileHandle file = File.OpenHandle(binary);
        using IDisposable probe = programs.Attach(
            null, server.Pid, (int)file.DangerousGetHandle(), executable.RoundTrip, writeBody: 0);
        GoOffsets offsets = executable.Offsets!.Value;
        Assert.Equal(0u, offsets.Parent);
        offsets.Parent = Starter;
        programs.Begin(server.Pid, offsets);
        sockets.ThreadRules.Forbid(server.Pid);
        watcher.Selection.Select(server.Pid);
        watcher.Selection.Capture(true);

        Exchange[] exchanges = await HttpRequests.SendAsync(server.Port, paths, connections);
        Assert.All(exchanges, static exchange => Assert.Equal(200, exchange.Status));
        Contexts contexts = new(server.Port, leaf.Port);
        ring.Drain(contexts, ring.End);
        return contexts;
    }

    private static GoExecutable Read(string path)
    {
        using var file = File.OpenHandle(path);
        InspectionBudget budget = new();
        budget.Begin(TimeSpan.FromMinutes(1));
        return GoExecutable.Read((int)file.DangerousGetHandle(), default, budget);
    }

    /// <summary>What was told of requests and calls, by the id in their paths.</summary>
    private sealed class Contexts(int port, int next) : IRingSink
    {
        private readonly Dictionary<(ulong Connection, SocketDirection Direction), SocketContext> told = [];

        public Dictionary<string, SocketContext> Received { get; } = [];

        public Dictionary<string, SocketContext> Called { get; } = [];

        public void OnRecord(ReadOnlySpan<byte> record)
        {
            SocketEvent e = MemoryMarshal.Read<SocketEvent>(record);
            ReadOnlySpan<byte> bytes = record[Unsafe.SizeOf<SocketEvent>()..];
            if (e.Kind == SocketEventKind.Context)
            {
                told[(e.Connection, e.Direction)] = MemoryMarshal.Read<SocketContext>(bytes);
                return;
            }

            // The first byte may have been read alone.
            string text = e.Kind == SocketEventKind.Data ? Encoding.ASCII.GetString(bytes[..e.Captured]) : "";
            if (!text.StartsWith("GET /", StringComparison.Ordinal) && !text.StartsWith("ET /", StringComparison.Ordinal))
            {
                return;
            }

            Dictionary<string, SocketContext>? to = e.LocalPort == port && e.Direction == SocketDirection.Receive ? Received
                : e.RemotePort == next && e.Direction == SocketDirection.Send ? Called : null;
            to?.Add(text.Split(' ')[1].Split('/')[^1], told[(e.Connection, e.Direction)]);
        }
    }
}

using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Protocols.Redis;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Export;
using Beyla.Agent.Tracing;
using Beyla.Agent.Tracing.Parents;

namespace Beyla.Agent.Tests.Tracing.Parents;

/// <summary>
/// A process with threads that serve requests and make calls: each on a connection of its own, named by its path (of Redis by its command).
/// </summary>
internal sealed class ParentRig : ISpanSink, IProcessLookup
{
    private readonly Dictionary<string, Wire> wires = [];
    private ulong connections;

    public ParentRig()
    {
        Parents = new SpanParents(this, this);
        var buffers = new BufferPool();
        Tracer = new Tracer(
            new TracerOptions(), buffers, new NoVerdicts(), new NothingPassed(), Parents,
            new HttpProtocol(new HttpOptions { RequestTimeout = TimeSpan.FromSeconds(30) }, Parents, buffers),
            new RedisProtocol(new RedisOptions(), Parents, buffers));
    }

    public SpanParents Parents { get; }

    public Tracer Tracer { get; }

    /// <summary>What the process is written in.</summary>
    public ProcessLanguage Language { get; set; } = ProcessLanguage.Generic;

    public ulong Time { get; set; } = 1_000_000;

    public uint Pid { get; set; } = 42;

    /// <summary>The spans that came out, by their paths.</summary>
    public Dictionary<string, TraceContext> Spans { get; } = [];

    /// <summary>In the order in which they came out.</summary>
    public List<TraceContext> Log { get; } = [];

    public void OnSpan(in SpanData span)
    {
        var path = System.Text.Encoding.ASCII.GetString(
            span.Protocol == ProtocolId.Http ? span.Values.Text(SpanAttribute.UrlPath) : span.Values.Text(SpanAttribute.DbOperationName));
        Spans[path] = span.Context;
        Log.Add(span.Context);
    }

    public ProcessInfo? Find(int pid) => Samples.Web with { Pid = pid, Language = Language };

    /// <summary>A thread reads a request.</summary>
    public void Request(uint tid, string path, string fields = "") =>
        On(tid, path).Receive($"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");

    /// <summary>A thread sends a whole response to it.</summary>
    public void Respond(uint tid, string path) => On(tid, path).Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    /// <summary>A thread makes a call.</summary>
    public void Call(uint tid, string path, string fields = "") => On(tid, path).Send($"GET {path} HTTP/1.1\r\nHost: b\r\n{fields}\r\n");

    /// <summary>A thread reads the whole response to it.</summary>
    public void Response(uint tid, string path) => On(tid, path).Receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    /// <summary>A thread makes a call and reads the response.</summary>
    public void CallAndResponse(uint tid, string path)
    {
        Call(tid, path);
        Response(tid, path);
    }

    /// <summary>The connection of a request or call, where a goroutine is at work now on some thread.</summary>
    /// <param name="goroutine">Its number.</param>
    /// <param name="path">Names the connection.</param>
    /// <param name="parent">Who started it; 0 where that is not known.</param>
    /// <param name="called">It has handed a request to the connection, and another one sends that.</param>
    public Wire Go(ulong goroutine, string path, ulong parent = 0, bool called = false)
    {
        var wire = On((uint)(1 + ((goroutine * 7 + Time) % 3)), path);
        wire.Goroutine = (goroutine, parent);
        wire.Flags = called ? wire.Flags | SocketEventFlags.Called : wire.Flags & ~SocketEventFlags.Called;
        return wire;
    }

    /// <summary>The connection of a request or call, where a thread is at work now.</summary>
    public Wire On(uint tid, string path)
    {
        if (!wires.TryGetValue(path, out var wire))
        {
            wires.Add(path, wire = new Wire(Tracer, ++connections));
        }

        (wire.Pid, wire.Tid, wire.Time) = (Pid, tid, Time += 10_000);
        return wire;
    }

    /// <summary>What the test says is the parent of a call; <see cref="ParentSource.None"/> and no path: it has none.</summary>
    public void AssertParent(string call, string? request, ParentSource source)
    {
        var child = Spans[call];
        Assert.NotEqual(0ul, child.SpanId);
        Assert.True(child.HasTrace);
        Assert.Equal(source, child.Source);
        if (request is null)
        {
            Assert.Equal(0ul, child.ParentId);
            return;
        }

        Assert.Equal(Spans[request].SpanId, child.ParentId);
        Assert.True(child.IsSameTrace(Spans[request]));
    }
}

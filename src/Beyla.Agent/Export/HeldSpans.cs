using System.Buffers;
using System.Diagnostics;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Export;

/// <summary>Takes a span that waited. It is valid only during the call.</summary>
internal delegate void HeldSpanVisitor<in TState>(in SpanData span, TState state);

/// <summary>
/// Spans whose process is being looked at, in order. Room and time are bounded, and no process can take the room of all others: one that cannot be
/// looked at in time gets its spans with what is known of it.
/// </summary>
internal sealed class HeldSpans
{
    /// <summary>Bytes of all spans, and of those of one process. A span counts with its texts and <see cref="Overhead"/>.</summary>
    internal const int MaximumBytes = 8 * 1024 * 1024, MaximumBytesOfOne = 1024 * 1024;

    /// <summary>What a span takes besides its texts.</summary>
    internal const int Overhead = 256;

    /// <summary>The first span of a process waits no longer. A look that does not come back is given up before.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private readonly Dictionary<int, Waiting> processes = [];
    private int bytes;

    /// <summary>Processes whose spans wait.</summary>
    public int Count => processes.Count;

    /// <summary>False when there is no room.</summary>
    public bool TryAdd(in SpanData span)
    {
        var size = Overhead + span.Method.Length + span.Path.Length + span.Query.Length + span.Host.Length;
        if (!processes.TryGetValue(span.Pid, out var waiting))
            waiting = new Waiting(Stopwatch.GetTimestamp());
        if (bytes + size > MaximumBytes || waiting.Bytes + size > MaximumBytesOfOne)
            return false;
        processes[span.Pid] = waiting;
        waiting.Spans.Enqueue(new HeldSpan(in span));
        (bytes, waiting.Bytes) = (bytes + size, waiting.Bytes + size);
        return true;
    }

    /// <summary>Hands on what waits for a process, in order.</summary>
    public void Take<TState>(int pid, TState state, HeldSpanVisitor<TState> visitor)
    {
        if (!processes.Remove(pid, out var waiting))
            return;
        bytes -= waiting.Bytes;
        foreach (var held in waiting.Spans)
        {
            var span = held.Span;
            visitor(in span, state);
            held.Return();
        }
    }

    /// <summary>A process whose spans have waited too long; any one when all are overdue.</summary>
    public bool TryFindOverdue(bool all, out int pid)
    {
        foreach (var (candidate, waiting) in processes)
        {
            pid = candidate;
            if (all || Stopwatch.GetElapsedTime(waiting.Since) > Longest)
                return true;
        }

        pid = 0;
        return false;
    }

    private sealed class Waiting(long since)
    {
        public readonly long Since = since;
        public readonly Queue<HeldSpan> Spans = [];
        public int Bytes;
    }
}

/// <summary>A copy of a span.</summary>
internal sealed class HeldSpan
{
    private readonly SpanKind kind;
    private readonly SpanOutcome outcome;
    private readonly int pid, tid, status, method, path, query, host;
    private readonly uint networkNamespace;
    private readonly ulong connection;
    private readonly long start, handlerStart, end, requestBody, responseBody;
    private readonly Address client, server, peer;
    private readonly ushort clientPort, serverPort, peerPort;
    private readonly bool isClientNamed;
    private readonly byte minorVersion;
    private readonly byte[] texts;

    internal HeldSpan(in SpanData span)
    {
        (kind, outcome, pid, tid, status) = (span.Kind, span.Outcome, span.Pid, span.Tid, span.Status);
        (networkNamespace, connection, minorVersion) = (span.NetworkNamespace, span.Connection, span.MinorVersion);
        (start, handlerStart, end) = (span.Start, span.HandlerStart, span.End);
        (client, clientPort, server, serverPort) = (span.ClientAddress, span.ClientPort, span.ServerAddress, span.ServerPort);
        (isClientNamed, peer, peerPort) = (span.IsClientNamed, span.PeerAddress, span.PeerPort);
        (requestBody, responseBody) = (span.RequestBodyLength, span.ResponseBodyLength);
        (method, path, query, host) = (span.Method.Length, span.Path.Length, span.Query.Length, span.Host.Length);
        texts = ArrayPool<byte>.Shared.Rent(method + path + query + host);
        span.Method.CopyTo(texts);
        span.Path.CopyTo(texts.AsSpan(method));
        span.Query.CopyTo(texts.AsSpan(method + path));
        span.Host.CopyTo(texts.AsSpan(method + path + query));
    }

    /// <summary>The span as it was; until <see cref="Return"/>.</summary>
    internal SpanData Span => new()
    {
        Kind = kind, Outcome = outcome, Pid = pid, Tid = tid, NetworkNamespace = networkNamespace, Connection = connection,
        Start = start, HandlerStart = handlerStart, End = end,
        ClientAddress = client, ClientPort = clientPort, ServerAddress = server, ServerPort = serverPort,
        IsClientNamed = isClientNamed, PeerAddress = peer, PeerPort = peerPort,
        Method = texts.AsSpan(0, method), Path = texts.AsSpan(method, path), Query = texts.AsSpan(method + path, query),
        Host = texts.AsSpan(method + path + query, host),
        MinorVersion = minorVersion, Status = status, RequestBodyLength = requestBody, ResponseBodyLength = responseBody,
    };

    internal void Return() => ArrayPool<byte>.Shared.Return(texts);
}

using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// Gives each span its trace, its identity and its parent: which request of a process led to a call, by what its threads do
/// (docs/context.md has the rules and how often they are right). It stands between the ledgers and the exporter: the tracer tells it
/// which thread does what, the ledgers what that means. A span whose parent shows only by what comes next is held until then. What it
/// does not know for sure is marked (<see cref="ParentSource.Agreement"/>), or has no parent. Counts as place <c>parents</c>. One thread.
/// </summary>
public sealed partial class SpanParents : ISpanSink, ICounted
{
    private readonly ISpanSink next;
    private readonly IProcessLookup? processes;
    private readonly IThreadRule? rule;
    private readonly TraceIds ids = new();
    private readonly OpenTraces traces = new();
    private readonly OpenCalls calls = new();
    private readonly TracedThreads threads = new();
    private readonly PendingCalls pending;
    private TracedThread? current;
    private long time, emitted;

    /// <param name="next">Takes the spans.</param>
    /// <param name="processes">Knows what processes are written in; null where that is not known.</param>
    /// <param name="rule">Told how processes work; null where nobody asks.</param>
    public SpanParents(ISpanSink next, IProcessLookup? processes = null, IThreadRule? rule = null)
    {
        this.next = next;
        this.processes = processes;
        this.rule = rule;
        pending = new PendingCalls(next, ids);
        threads.Forgetting = thread =>
        {
            pending.SettleForward(thread.Forward, null);
            pending.SettleWaiting(thread);
        };
    }

    /// <summary>
    /// Whether threads tell nothing in a runtime, whatever is measured: a loop (Node.js), continuations on any thread (.NET), goroutines
    /// (Go).
    /// </summary>
    public static bool IsLoop(ProcessLanguage language) =>
        language is ProcessLanguage.NodeJs or ProcessLanguage.Dotnet or ProcessLanguage.Go;

    /// <inheritdoc/>
    public void OnOpen(int pid, int servedPort) => next.OnOpen(pid, servedPort);

    /// <inheritdoc/>
    public void OnSpan(in SpanData span)
    {
        Snapshot.Add(ref emitted);
        next.OnSpan(in span);
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var (left, waiting) = (Volatile.Read(ref emitted), pending.Held);
        return [new PlaceCounters("parents", "spans", left, Emitted: left - waiting, Held: waiting)];
    }

    /// <summary>Settles what has waited too long. To be called about every 100 ms, and with all at the end.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    /// <param name="all">Whether nothing may wait longer.</param>
    public void Tick(long now, bool all = false)
    {
        pending.Tick(all ? long.MaxValue : now);
        threads.Tick(now);
    }

    /// <summary>
    /// A thread moves bytes on a followed connection; what the ledgers say until <see cref="EndOperation"/> is its doing.
    /// </summary>
    internal void BeginOperation(in Segment segment, ulong connection)
    {
        time = segment.Time;
        var thread = threads.Find(segment.Pid, segment.Tid, time);
        current = thread;
        thread.Operation++;
        if (segment.Goroutine > thread.Process.Goroutines)
        {
            thread.Process.Goroutines = segment.Goroutine;
        }

        if (thread.Forward.Count > 0 && thread.Operation - thread.ForwardSince > 1)
        {
            pending.SettleForward(thread.Forward, null);
        }

        if (!thread.Move(segment.Direction == SocketDirection.Receive, connection)
            || (segment.Direction == SocketDirection.Receive && thread.ReceivedOn != connection))
        {
            (thread.ReceivedOn, thread.Received) = (0, default);
        }
    }

    /// <summary>What follows is nobody's doing.</summary>
    internal void EndOperation() => current = null;

    /// <summary>The head of a request is there, or all that will be seen of it.</summary>
    /// <param name="exchange">With the process and the thread that read or wrote it.</param>
    /// <param name="connection">On which it is.</param>
    /// <param name="header">The trace that it names itself, or none.</param>
    internal void OnBegun(Exchange exchange, Connection connection, in TraceContext header)
    {
        if (exchange.Context.SpanId != 0)
        {
            return;
        }

        // What the kernel side has settled is known to the next hop, or to the one before.
        var isSettled = connection.TryTakeContext(connection.RequestDirection ?? SocketDirection.Receive, out var settled);
        if (exchange.Pid == 0)
        {
            // Nobody's doing that is known.
            exchange.Context = connection.RequestDirection == SocketDirection.Receive ? header : default;
            Begin(exchange);
            return;
        }

        var thread = current is { } same && same.Tid == exchange.Tid && same.Process.Pid == exchange.Pid ? same
            : threads.Find(exchange.Pid, exchange.Tid, Math.Max(time, exchange.Start));
        if (!thread.Process.IsLanguageKnown && processes?.Find(thread.Process.Pid) is { } known)
        {
            thread.Process.Learn(known.Language);
        }

        var context = isSettled ? settled.ToTrace() : default;
        if (connection.RequestDirection == SocketDirection.Receive)
        {
            // A header goes before all else. What the kernel side has settled its calls have already; else it may be a call of this host.
            var incoming = header;
            if (isSettled && (!header.HasTrace || context.Source == ParentSource.Header))
            {
                incoming = context;
            }
            else if (!header.HasTrace && exchange.Sequence != 0 && calls.TryFind(exchange, connection, out var call))
            {
                incoming = call;
            }

            exchange.Context = incoming;
            OnRequest(exchange, thread, connection.Id);
        }
        else
        {
            OnCall(exchange, thread, connection, in header, in context);
            if (exchange.Sequence != 0 && exchange.Links.Pending is null)
            {
                calls.Add(exchange, connection);
            }
        }

        Tell(thread.Process);
    }

    /// <summary>
    /// An exchange is over, and <see cref="Hand"/> follows: its context is complete then, unless its parent is still to show.
    /// </summary>
    /// <param name="exchange">The exchange.</param>
    /// <param name="connection">On which it was.</param>
    internal void Close(Exchange exchange, ulong connection)
    {
        if (exchange.Links.Pending is not null)
        {
            return;
        }

        End(exchange);
        if (exchange.Links.IsCall && current is { } thread && thread.Process.IsLoop)
        {
            Receive(thread, connection, in exchange.Links.Parent);
        }

        if (!exchange.Context.HasTrace)
        {
            Begin(exchange);
        }
    }

    /// <summary>The span of an exchange goes on, or is held until its parent is known.</summary>
    internal void Hand(Exchange exchange, in SpanData span)
    {
        Snapshot.Add(ref emitted);
        if (exchange.Links.Pending is not { } call)
        {
            next.OnSpan(in span);
        }
        else if (!TryHold(call, in span))
        {
            pending.Settle(call, null, ParentSource.None, null);
            next.OnSpan(span with { Context = exchange.Context });
        }
    }

    /// <summary>An exchange is given up without a span, or is over and was reported.</summary>
    internal void Forget(Exchange exchange)
    {
        if (exchange.Links.Pending is { } call)
        {
            pending.Settle(call, null, ParentSource.None, null);
        }
        else
        {
            End(exchange);
        }
    }

    /// <summary>A request or a call whose parent is known is found by nothing any more.</summary>
    private void End(Exchange exchange)
    {
        if (exchange.Links.Serial != 0)
        {
            Leave(exchange);
        }
        else if (exchange.Links.Ports != 0)
        {
            calls.Remove(exchange);
        }
    }

    /// <summary>Gives an exchange the identities that it does not have yet.</summary>
    private void Begin(Exchange exchange)
    {
        ref var context = ref exchange.Context;
        if (!context.HasTrace)
        {
            ids.Begin(ref context);
        }

        context.SpanId = context.SpanId == 0 ? ids.Next() : context.SpanId;
    }

    /// <summary>Tells the kernel side what was found of a process, when that has changed.</summary>
    private void Tell(TracedProcess process)
    {
        // Of a Go program that tells its goroutines, threads tell nothing.
        var isForbidden = process.IsLoop || process.Goroutines > 0;
        if (rule is null || process.IsToldAsLoop == isForbidden)
        {
            return;
        }

        process.IsToldAsLoop = isForbidden;
        if (isForbidden)
        {
            rule.Forbid(process.Pid);
        }
        else
        {
            rule.Allow(process.Pid);
        }
    }
}

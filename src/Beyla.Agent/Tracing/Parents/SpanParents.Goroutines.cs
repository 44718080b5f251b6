using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

// Of a Go program the goroutine takes the place of the thread: one that has read a request works for it until the response is sent.
public sealed partial class SpanParents
{
    private readonly Goroutines goroutines = new();

    /// <summary>A request that a goroutine has read, or a call that one has sent itself.</summary>
    private void OnGoroutine(Exchange exchange, TracedThread thread, Connection connection, in TraceContext header)
    {
        var process = thread.Process;
        if (connection.RequestDirection != SocketDirection.Receive)
        {
            // It may belong to the connection, and then who started it says nothing: only what it has read itself counts.
            OnGoroutineCall(exchange, process, goroutines.Find(process.Pid, exchange.Goroutine), isParentKnown: false, in header);
            return;
        }

        exchange.Context = header;
        Begin(exchange);
        ref var links = ref exchange.Links;
        (links.Serial, links.Connection, links.Process) = (++serial == 0 ? ++serial : serial, connection.Id, process);
        process.Add(exchange, overlaps: false);
        goroutines.Add(process.Pid, exchange.Goroutine, exchange);
        if (header.HasTrace)
        {
            traces.Add(exchange);
        }
    }

    /// <summary>A call that a goroutine has asked for, and another one sends.</summary>
    private void OnGoroutineCall(Exchange call, TracedThread thread, Connection connection, in TraceContext header)
    {
        var (process, parent) = (thread.Process, connection.CallerParent);
        call.Goroutine = connection.Caller;
        connection.Caller = connection.CallerParent = 0;
        var request = goroutines.Find(process.Pid, call.Goroutine) ?? goroutines.Find(process.Pid, parent);
        OnGoroutineCall(call, process, request, isParentKnown: parent != 0, in header);
    }

    private void OnGoroutineCall(Exchange call, TracedProcess process, Exchange? request, bool isParentKnown, in TraceContext header)
    {
        call.Links.IsCall = true;
        if (header.HasTrace)
        {
            Join(call, process, request, ParentSource.Goroutine, in header);
            return;
        }

        call.Context.SpanId = ids.Next();
        if (request is not null)
        {
            Follow(call, request, ParentSource.Goroutine);
        }
        else if (process.Open == 1 && !isParentKnown)
        {
            Follow(call, process.First!, ParentSource.Agreement);
        }
        else
        {
            ids.Begin(ref call.Context);
        }
    }
}

using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

// Of a Go program the goroutine takes the place of the thread: one that has read a request works for it until the response is sent.
public sealed partial class SpanParents
{
    private readonly Goroutines goroutines = new();

    /// <summary>A call that a goroutine has asked for, and another one sends; or that one has sent itself.</summary>
    /// <param name="call">The call, with the goroutine that sends it.</param>
    /// <param name="process">Which makes it.</param>
    /// <param name="caller">The goroutine that has asked for it; 0: it was sent at once.</param>
    /// <param name="callerParent">The one that started the caller; 0: not known.</param>
    /// <param name="header">The trace that it names itself, or none.</param>
    private void OnGoroutineCall(Exchange call, TracedProcess process, long caller, long callerParent, in TraceContext header)
    {
        // Who sends at once may belong to the connection, and then who started it says nothing: only what it has read itself counts.
        var request = caller == 0 ? goroutines.Find(process.Pid, call.Goroutine)
            : goroutines.Find(process.Pid, caller) ?? goroutines.Find(process.Pid, callerParent);
        call.Goroutine = caller == 0 ? call.Goroutine : caller;
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
        else if (process.Open == 1 && callerParent == 0)
        {
            Follow(call, process.First!, ParentSource.Agreement);
        }
        else
        {
            ids.Begin(ref call.Context);
        }
    }
}

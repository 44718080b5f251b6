using Beyla.Agent.Kernel;
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
        call.Goroutine = caller == 0 ? call.Goroutine : caller;
        // One that has sent it itself may belong to a connection: then who started it was the first to use that, and says nothing.
        var (request, source) = (goroutines.Find(process.Pid, call.Goroutine), ParentSource.Goroutine);
        if (request is null)
        {
            (request, source) = (StartedFor(goroutines.Find(process.Pid, callerParent), call.Goroutine), ParentSource.Agreement);
        }

        if (header.HasTrace)
        {
            Join(call, process, request, source, in header);
            return;
        }

        call.Context.SpanId = ids.Next();
        if (request is not null)
        {
            Follow(call, request, source);
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

    /// <summary>
    /// The request that the goroutine has read which started another one, unless that one is older: what an earlier request has started
    /// and left behind does not work for this one. A guess: where few goroutines are started, their numbers do not tell the two apart.
    /// </summary>
    private static Exchange? StartedFor(Exchange? request, long goroutine) =>
        request is not null && goroutine > request.Links.Goroutines - GoroutineNumbers.Slack ? request : null;
}

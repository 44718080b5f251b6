using Beyla.Agent.Linux;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// The calls of traced processes that are on their way: a request that a traced process of the same host reads is one of them if it begins
/// with the same byte of the same connection, so between the same ends and at the same sequence number. Where the ends are translated in
/// between (NAT) none is found.
/// </summary>
internal sealed class OpenCalls
{
    /// <summary>Further ones are not found.</summary>
    private const int MaxCalls = 65_536;

    private readonly Dictionary<(uint Ports, uint Sequence), Entry> calls = [];

    /// <summary>A call has begun whose context is settled.</summary>
    /// <param name="call">With the sequence number of its first byte.</param>
    /// <param name="connection">On which it is.</param>
    public void Add(Exchange call, Connection connection)
    {
        var key = (Ports(connection.LocalPort, connection.RemotePort), call.Sequence);
        if (calls.Count < MaxCalls && calls.TryAdd(key, new Entry(connection.Local, connection.Remote, call.Context)))
        {
            call.Links.Ports = key.Item1;
        }
    }

    /// <summary>A call is over.</summary>
    public void Remove(Exchange call)
    {
        _ = calls.Remove((call.Links.Ports, call.Sequence));
        call.Links.Ports = 0;
    }

    /// <summary>Finds the call that a request is.</summary>
    /// <param name="request">With the sequence number of its first byte.</param>
    /// <param name="connection">On which it was read.</param>
    /// <param name="context">What the request takes over: the trace, its flags, and the call as parent.</param>
    public bool TryFind(Exchange request, Connection connection, out TraceContext context)
    {
        context = default;
        if (calls.Count == 0 || !calls.TryGetValue((Ports(connection.RemotePort, connection.LocalPort), request.Sequence), out var call)
            || call.Local != connection.Remote || call.Remote != connection.Local)
        {
            return false;
        }

        var caller = call.Context;
        context.Follow(in caller, ParentSource.Connection);
        return true;
    }

    private static uint Ports(ushort caller, ushort server) => ((uint)caller << 16) | server;

    private readonly record struct Entry(Address Local, Address Remote, TraceContext Context);
}

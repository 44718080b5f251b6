using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;
using Beyla.Agent.Tracing.Parents;

namespace Beyla.Agent.Tests.Tracing.Parents;

/// <summary>An event loop that passes two requests at a time on, without a byte of memory of the test's own.</summary>
internal sealed class QuietRig : ISpanSink
{
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"),
        Response = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    private readonly Tracer tracer;
    private readonly uint[] received = new uint[4], sent = new uint[4];
    private ulong time = 1;

    public QuietRig()
    {
        var parents = new SpanParents(this);
        var buffers = new BufferPool();
        tracer = new Tracer(
            new TracerOptions(), buffers, new NoVerdicts(), new NothingPassed(), parents,
            new HttpProtocol(new HttpOptions(), parents, buffers));
    }

    public long Spans { get; private set; }

    public void OnSpan(in SpanData span) => Spans++;

    public void Exchange(int times)
    {
        for (var i = 0; i < times; i++)
        {
            Move(0, SocketDirection.Receive, Request);
            Move(1, SocketDirection.Send, Request);
            Move(2, SocketDirection.Receive, Request);
            Move(3, SocketDirection.Send, Request);
            Move(1, SocketDirection.Receive, Response);
            Move(0, SocketDirection.Send, Response);
            Move(3, SocketDirection.Receive, Response);
            Move(2, SocketDirection.Send, Response);
        }
    }

    private void Move(int connection, SocketDirection direction, byte[] data)
    {
        ref var position = ref (direction == SocketDirection.Send ? sent : received)[connection];
        var opposite = (direction == SocketDirection.Send ? received : sent)[connection];
        var e = new SocketEvent
        {
            Kind = SocketEventKind.Data, Connection = (ulong)connection + 1, Direction = direction, Sequence = position,
            Opposite = opposite, Length = (uint)data.Length, Captured = (ushort)data.Length, Time = time += 1000, Pid = 5, Tid = 6,
            Protocol = ProtocolId.Http,
        };
        position += (uint)data.Length;
        tracer.OnSocketEvent(in e, data);
    }
}

using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Protocols.Postgres;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>The recordings through the tracer, beside HTTP, with what the kernel side captures of them.</summary>
public class PostgresTracerTests
{
    public static TheoryData<string, bool> Names => PostgresCaptureTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void FramesAreWalked(string name, bool isServer)
    {
        foreach (var size in (int[])[int.MaxValue, 1000, 8192, 13])
        {
            FrameWalk client = new(), server = new();
            Check(name, isServer, (wire, step, direction) =>
            {
                var walk = step.From == '>' ? client : server;
                if (step.Data.Length == 1 && size != int.MaxValue)
                {
                    // The response to SSLRequest is no frame: behind it an operation is lost, and small ones would be for long.
                    wire.Data(direction, step.Data);
                    return;
                }

                for (var at = 0; at < step.Data.Length; at += Math.Min(size, step.Data.Length))
                {
                    walk.Write(wire, direction, step.Data[at..(int)Math.Min(step.Data.Length, (long)at + size)]);
                }
            });
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ByteByByte(string name, bool isServer) => Check(name, isServer, (wire, step, direction) =>
    {
        for (var at = 0; at < step.Data.Length; at++)
        {
            wire.Data(direction, step.Data.AsSpan(at, 1));
        }
    });

    private static void Check(string name, bool isServer, Action<Wire, PostgresStep, SocketDirection> write)
    {
        var recording = PostgresCase.Find(name);
        var spans = new PostgresRig(isServer);
        var buffers = new BufferPool();
        var postgres = new PostgresProtocol(new PostgresOptions(), spans, buffers);
        var tracer = new Tracer(new TracerOptions(), new HttpProtocol(new HttpOptions(), spans, buffers), postgres);
        var wire = new Wire(tracer) { Flags = SocketEventFlags.Fresh, Named = ProtocolId.Postgres };
        foreach (var step in recording.Steps)
        {
            write(wire, step, (step.From == '>') == isServer ? SocketDirection.Receive : SocketDirection.Send);
        }

        wire.Close();
        Assert.Equal(recording.Spans, spans.Spans);
        Assert.All(spans.Kinds, kind => Assert.Equal(isServer ? SpanKind.Server : SpanKind.Client, kind));
        Assert.Equal(0, buffers.Outstanding);
        Assert.All(tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
    }
}

using System.Buffers.Binary;
using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>
/// What the kernel side says of the trace of a message before its bytes come (bpf/propagation.h, struct context): the request that begins
/// there has it, and no other one.
/// </summary>
public sealed class MessageContextTests
{
    /// <summary>From the examples of W3C Trace Context level 2, section 3.2.3.</summary>
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736", Own = "00f067aa0ba902b7", Above = "b7ad6b7169203331";

    [Fact]
    public void A_request_has_what_was_told_of_it()
    {
        var e = new SocketEvent { Kind = SocketEventKind.Context, Direction = SocketDirection.Receive, Sequence = 7 };
        Assert.True(MessageContext.TryRead(in e, Bytes(Trace, Own, Above, SocketContextSource.Option), out var context));
        Assert.Equal((7u, SocketDirection.Receive), (context.Sequence, context.Direction));
        var trace = context.ToTrace();
        Assert.Equal(Trace, $"{trace.TraceHigh:x16}{trace.TraceLow:x16}");
        Assert.Equal((Own, Above), ($"{trace.SpanId:x16}", $"{trace.ParentId:x16}"));
        Assert.Equal((ParentSource.Option, TraceContext.Sampled), (trace.Source, trace.Flags));
    }

    [Theory]
    [InlineData(SocketContextSource.Fresh, ParentSource.None)]
    [InlineData(SocketContextSource.Header, ParentSource.Header)]
    [InlineData(SocketContextSource.Option, ParentSource.Option)]
    [InlineData(SocketContextSource.Thread, ParentSource.Thread)]
    [InlineData(SocketContextSource.Goroutine, ParentSource.Goroutine)]
    [InlineData(SocketContextSource.Agreement, ParentSource.Agreement)]
    [InlineData((SocketContextSource)200, ParentSource.None)]
    public void Where_it_comes_from_is_kept(SocketContextSource said, ParentSource expected)
    {
        var e = new SocketEvent { Kind = SocketEventKind.Context };
        Assert.True(MessageContext.TryRead(in e, Bytes(Trace, Own, Above, said), out var context));
        Assert.Equal(expected, context.ToTrace().Source);
    }

    [Fact]
    public void What_is_cut_or_names_nothing_is_none()
    {
        var e = new SocketEvent { Kind = SocketEventKind.Context };
        var whole = Bytes(Trace, Own, Above, SocketContextSource.Fresh);
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.False(MessageContext.TryRead(in e, whole.AsSpan(0, length), out _));
        }

        Assert.False(MessageContext.TryRead(in e, Bytes(new string('0', 32), Own, Above, 0), out _));
        Assert.False(MessageContext.TryRead(in e, Bytes(Trace, new string('0', 16), Above, 0), out _));
    }

    private static byte[] Bytes(string trace, string own, string above, SocketContextSource source)
    {
        var bytes = new byte[40];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, UInt128.Parse(trace, System.Globalization.NumberStyles.HexNumber, null));
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(16), ulong.Parse(own, System.Globalization.NumberStyles.HexNumber, null));
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(24), ulong.Parse(above, System.Globalization.NumberStyles.HexNumber, null));
        (bytes[32], bytes[33]) = (1, (byte)source);
        return bytes;
    }
}

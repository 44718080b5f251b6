using System.Net;
using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>Plays the kernel side of one connection: keeps the sequence numbers and makes events of operations.</summary>
internal sealed class Wire(Tracer tracer, ulong connection = 1, uint receive = 1000, uint send = 5000)
{
    private static readonly Address Here = Address.From(IPAddress.Parse("10.0.0.1")), There = Address.From(IPAddress.Parse("10.0.0.2"));

    public uint ReceiveNext = receive, SendNext = send;

    private uint passed;
    private ulong passedTime;

    public ulong Time { get; set; } = 1_000_000;

    public uint Pid { get; set; } = 42;

    public uint Tid { get; set; } = 43;

    /// <summary>The goroutine of the next operations, and the one that started it.</summary>
    public (ulong Own, ulong Parent) Goroutine { get; set; }

    /// <summary>It is the other end of a connection: both ends change places.</summary>
    public bool IsOtherEnd { get; set; }

    /// <summary>How many bytes of an operation the kernel side captures.</summary>
    public Func<int, int> Capture { get; set; } = length => Math.Min(length, 8192);

    public void Receive(string data) => Data(SocketDirection.Receive, Encoding.Latin1.GetBytes(data));

    public void Send(string data) => Data(SocketDirection.Send, Encoding.Latin1.GetBytes(data));

    /// <summary>An operation whose event was lost.</summary>
    public void Miss(SocketDirection direction, int length) => Next(direction) += (uint)length;

    /// <summary>Bytes without content, of which the next event tells, unless they are looked at before.</summary>
    public void Pass(int length)
    {
        SendNext += (uint)length;
        passed += (uint)length;
        passedTime = Time += 1000;
    }

    /// <summary>What the kernel side says of the connection.</summary>
    public ProtocolId Named { get; set; }

    /// <summary>More that it says of it.</summary>
    public SocketEventFlags Flags { get; set; }

    /// <summary>Bytes at the end of each operation of pieces in which the kernel side did not follow the frames.</summary>
    public uint Unwalked { get; set; }

    /// <summary>
    /// An operation as the kernel side reports it: its first bytes, and where those are not all the last eight as a piece of their own.
    /// </summary>
    public void Data(SocketDirection direction, ReadOnlySpan<byte> data, int? captured = null, bool hasTail = true)
    {
        var first = captured ?? Capture(data.Length);
        if (!hasTail || first >= data.Length || data.Length < 8)
        {
            Pieces(direction, data, (0, first, false));
            return;
        }

        first = Math.Min(first, data.Length - 8);
        Pieces(direction, data, (0, first, false), (data.Length - first - 8, 8, false));
    }

    /// <summary>An operation of which stretches were captured.</summary>
    /// <param name="direction">Its direction.</param>
    /// <param name="data">All of it.</param>
    /// <param name="stretches">Bytes between the stretch before and this one, its length, and whether it begins with a frame. The first one
    /// is at the beginning.</param>
    public void Pieces(SocketDirection direction, ReadOnlySpan<byte> data, params (int Gap, int Length, bool Aligned)[] stretches)
    {
        var e = Event(SocketEventKind.Data, direction);
        e.Length = (uint)data.Length;
        e.Unwalked = Unwalked;
        e.Captured = (ushort)stretches[0].Length;
        e.Pieces = (byte)(stretches.Length - 1);
        e.Flags |= stretches[0].Aligned ? SocketEventFlags.Aligned : SocketEventFlags.None;
        List<byte> record = [.. data[..e.Captured]];
        var at = (int)e.Captured;
        foreach (var (gap, length, aligned) in stretches.AsSpan(1))
        {
            record.AddRange(BitConverter.GetBytes((uint)gap));
            record.AddRange(BitConverter.GetBytes((uint)length | (aligned ? SocketPiece.Aligned : 0)));
            record.AddRange(data.Slice(at + gap, length));
            at += gap + length;
        }

        tracer.OnSocketEvent(in e, record.ToArray());
        Next(direction) += e.Length;
    }

    /// <summary>Bytes that were reported before, from so far behind the position, followed by new ones.</summary>
    public void Again(SocketDirection direction, int back, ReadOnlySpan<byte> data)
    {
        var e = Event(SocketEventKind.Data, direction);
        e.Sequence -= (uint)back;
        e.Length = (uint)data.Length;
        e.Captured = (ushort)data.Length;
        tracer.OnSocketEvent(in e, data);
        Next(direction) += (uint)Math.Max(0, data.Length - back);
    }

    /// <summary>One byte of urgent data.</summary>
    public void Urgent(SocketDirection direction)
    {
        var e = Event(SocketEventKind.Urgent, direction);
        e.Length = 1;
        e.Pid = e.Tid = 0;
        tracer.OnSocketEvent(in e, default);
        Next(direction)++;
    }

    public void Shut(SocketDirection direction)
    {
        Next(direction)++;
        var e = Event(SocketEventKind.Shut, direction);
        e.Pid = e.Tid = 0;
        tracer.OnSocketEvent(in e, default);
    }

    public void Close() => End(SocketEventKind.Close);

    /// <summary>The kernel side follows the connection no longer.</summary>
    public void Forget() => End(SocketEventKind.Forgotten);

    private void End(SocketEventKind kind)
    {
        var e = Event(kind, SocketDirection.Send);
        e.Pid = e.Tid = 0;
        tracer.OnSocketEvent(in e, default);
    }

    public SocketEvent Event(SocketEventKind kind, SocketDirection direction)
    {
        var e = Plain(kind, direction);
        (e.Passed, e.PassedTime, e.PassedUntil, passed) = (passed, passedTime, SendNext - (e.Kind == SocketEventKind.Shut ? 1u : 0), 0);
        return e;
    }

    private SocketEvent Plain(SocketEventKind kind, SocketDirection direction) => new()
    {
        Time = Time += 1000,
        Connection = connection,
        Pid = Pid,
        Tid = Tid,
        Goroutine = Goroutine.Own,
        ParentGoroutine = Goroutine.Parent,
        Sequence = Next(direction),
        Opposite = direction == SocketDirection.Send ? ReceiveNext : SendNext,
        NetworkNamespace = 7,
        Kind = kind,
        Direction = direction,
        Protocol = Named,
        Flags = Flags,
        LocalPort = (ushort)(IsOtherEnd ? 50000 : 8080),
        RemotePort = (ushort)(IsOtherEnd ? 8080 : 50000),
        Local = IsOtherEnd ? There : Here,
        Remote = IsOtherEnd ? Here : There,
    };

    private ref uint Next(SocketDirection direction) => ref direction == SocketDirection.Send ? ref SendNext : ref ReceiveNext;
}

/// <summary>A tracer with the HTTP protocol, and what must be true of it at any time.</summary>
internal sealed class Rig
{
    public Rig(HttpOptions? http = null, TracerOptions? options = null)
    {
        Http = new HttpProtocol(http ?? new HttpOptions(), Log);
        Tracer = new Tracer(options ?? new TracerOptions(), Http);
        Wire = new Wire(Tracer);
    }

    public SpanLog Log { get; } = new();

    public HttpProtocol Http { get; }

    public Tracer Tracer { get; }

    public Wire Wire { get; }

    public Wire Connect(ulong id, uint receive = 1000, uint send = 5000) => new(Tracer, id, receive, send);

    /// <summary>The counters agree, and when every connection is closed nothing is left.</summary>
    public void AssertSettled()
    {
        AssertBalanced();
        Assert.Equal(0, Tracer.Connections);
        Assert.Equal(0, Http.Buffers.Outstanding);
        Assert.Equal(0, Http.Count().Held);
    }

    public void AssertBalanced()
    {
        foreach (var place in Tracer.Count())
        {
            Assert.True(place.Balanced, place.ToString());
        }
    }
}

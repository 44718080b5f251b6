using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>Kinds of <see cref="SocketEvent"/> (bpf/sockets.h, enum socket_event_kind).</summary>
public enum SocketEventKind : byte
{
    /// <summary>Bytes were sent or received.</summary>
    Data = 1,

    /// <summary>One side will send no more: this side when the direction is send, the peer when it is receive.</summary>
    Shut = 2,

    /// <summary>The connection is gone.</summary>
    Close = 3,

    /// <summary>The connection is there and is followed no longer: it speaks no HTTP (any more).</summary>
    Forgotten = 4,

    /// <summary>
    /// One byte, at <see cref="SocketEvent.Sequence"/>, is urgent data (MSG_OOB): it has a number and is no part of the stream.
    /// </summary>
    Urgent = 5,

    /// <summary>
    /// The message that begins at <see cref="SocketEvent.Sequence"/> has a trace context: a <see cref="SocketContext"/> follows.
    /// </summary>
    Context = 6,
}

/// <summary>Direction of the bytes as the traced process sees it (bpf/sockets.h, enum socket_direction).</summary>
public enum SocketDirection : byte
{
    /// <summary>The process received them.</summary>
    Receive = 0,

    /// <summary>The process sent them.</summary>
    Send = 1,
}

/// <summary>The fixed part of an event of the socket programs (bpf/sockets.h, struct socket_event); the captured bytes follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SocketEvent
{
    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    public ulong Time;

    /// <summary>Identity of the connection; never used again for another one.</summary>
    public ulong Connection;

    /// <summary>Thread group id in the initial pid namespace; 0 where no process is known (all but Data).</summary>
    public uint Pid;

    /// <summary>Thread id in the initial pid namespace; 0 where no process is known.</summary>
    public uint Tid;

    /// <summary>TCP sequence number (modulo 2^32) of the first byte of this operation that was not reported before.</summary>
    public uint Sequence;

    /// <summary>Bytes moved, starting at <see cref="Sequence"/>.</summary>
    public uint Length;

    /// <summary>Sequence number of the next byte in the other direction.</summary>
    public uint Opposite;

    /// <summary>Inode of the network namespace.</summary>
    public uint NetworkNamespace;

    /// <summary>Bytes of data that follow, from <see cref="Sequence"/> on; fewer than <see cref="Length"/> when cut.</summary>
    public ushort Captured;

    /// <summary>What happened on the connection.</summary>
    public SocketEventKind Kind;

    /// <summary>Which way the bytes went.</summary>
    public SocketDirection Direction;

    /// <summary>Ports in host byte order.</summary>
    public ushort LocalPort;

    /// <summary>Port of the other end, host byte order.</summary>
    public ushort RemotePort;

    /// <summary>IPv6 addresses; IPv4 is mapped to ::ffff:0:0/96.</summary>
    public Address Local;

    /// <summary>Address of the other end, in the same form as <see cref="Local"/>.</summary>
    public Address Remote;

    /// <summary>What the connection is recognised as.</summary>
    public ProtocolId Protocol;

    /// <summary>More about the operation.</summary>
    public SocketEventFlags Flags;

    /// <summary>
    /// Further stretches of captured bytes, each a <see cref="SocketPiece"/> and its bytes, behind the first <see cref="Captured"/> ones.
    /// </summary>
    public byte Pieces;

    /// <summary>Not used.</summary>
    public byte Reserved;

    /// <summary>Bytes of the operation in which the frames were not followed, although the protocol has some.</summary>
    public uint Unwalked;

    /// <summary>When the last of the <see cref="Passed"/> bytes were sent; CLOCK_MONOTONIC in nanoseconds.</summary>
    public ulong PassedTime;

    /// <summary>Bytes sent before this event of which none told, since they have no content to show (<see cref="PassedMap"/>).</summary>
    public uint Passed;

    /// <summary>Sequence number behind them.</summary>
    public uint PassedUntil;

    /// <summary>Of a Go program: number of the goroutine whose operation it is; 0 where it is not known.</summary>
    public ulong Goroutine;

    /// <summary>Number of the goroutine that started it; 0 where it is not known (Go before 1.21, the first goroutine).</summary>
    public ulong ParentGoroutine;
}

/// <summary>More about an operation (bpf/sockets.h, enum socket_flags).</summary>
[Flags]
public enum SocketEventFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The socket came from a listening one: this side serves, as far as TCP can tell.</summary>
    Accepted = 1,

    /// <summary>The operation has the first bytes of the connection.</summary>
    Fresh = 2,

    /// <summary>The operation begins with a frame of the protocol, as the kernel side has followed them.</summary>
    Aligned = 4,

    /// <summary>
    /// <see cref="SocketEvent.Goroutine"/> is the one that asked for the request: another one, that of the connection, sends for it.
    /// </summary>
    Called = 8,
}

/// <summary>Says where a further stretch of captured bytes lies in its operation (bpf/sockets.h, struct socket_piece).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SocketPiece
{
    /// <summary>Bytes of the operation between the end of the stretch before and this one that were not captured.</summary>
    public uint Gap;

    /// <summary>Bytes of this stretch, which follow without padding, and <see cref="Aligned"/>.</summary>
    public uint Length;

    /// <summary>
    /// In <see cref="Length"/>: the stretch begins with a frame of the protocol, and between the frames before it and this one lie whole
    /// ones that were left out.
    /// </summary>
    public const uint Aligned = 0x80000000;
}

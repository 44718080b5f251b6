using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Relay;

/// <summary>
/// A span in memory between two threads: this head, then the values in the order of the table: of a number eight bytes, of a text four
/// bytes of length and the text, cut at the limit of its attribute. In the byte order of the machine: it never leaves the process.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SpanRecord
{
    private int length;
    private int process;
    private ulong present;
    private long start, duration, handlerDuration;
    private long spanStart, spanHandlerStart, spanEnd;
    private TraceContext context;
    private ulong connection;
    private Address client, peer, server;
    private int pid, tid;
    private uint network;
    private ushort clientPort, peerPort, serverPort;
    private ProtocolId protocol;
    private SpanKind kind;
    private SpanOutcome outcome;
    private bool isClientNamed;

    /// <summary>The room that a record may need; less than <see cref="RelayBlock.Size"/>, since the texts of a span are bounded.</summary>
    public static int RoomFor(SpanValues values) => Unsafe.SizeOf<SpanRecord>() + (sizeof(long) * values.Count) + values.TextLength;

    /// <summary>Writes a span.</summary>
    /// <param name="exported">The span.</param>
    /// <param name="process">The number of its process in the block.</param>
    /// <param name="target">Has the room that <see cref="RoomFor"/> says.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(in ExportedSpan exported, int process, Span<byte> target)
    {
        ref readonly var span = ref exported.Span;
        var position = Unsafe.SizeOf<SpanRecord>();
        var values = span.Values;
        for (var rest = values.Present; rest != 0; rest &= rest - 1)
        {
            var attribute = (SpanAttribute)BitOperations.TrailingZeroCount(rest);
            if (values.IsNumber(attribute))
            {
                MemoryMarshal.Write(target[position..], values.Number(attribute, 0));
                position += sizeof(long);
            }
            else
            {
                var text = Cut(values.Text(attribute), SpanAttributes.Of(attribute).Limit);
                MemoryMarshal.Write(target[position..], text.Length);
                text.CopyTo(target[(position + sizeof(int))..]);
                position += sizeof(int) + text.Length;
            }
        }

        MemoryMarshal.Write(target, new SpanRecord
        {
            length = position, process = process, present = values.Present,
            start = exported.Start, duration = exported.Duration, handlerDuration = exported.HandlerDuration,
            spanStart = span.Start, spanHandlerStart = span.HandlerStart, spanEnd = span.End,
            context = span.Context, connection = span.Connection,
            client = span.ClientAddress, peer = span.PeerAddress, server = span.ServerAddress,
            pid = span.Pid, tid = span.Tid, network = span.NetworkNamespace,
            clientPort = span.ClientPort, peerPort = span.PeerPort, serverPort = span.ServerPort,
            protocol = span.Protocol, kind = span.Kind, outcome = span.Outcome, isClientNamed = span.IsClientNamed,
        });
        return position;
    }

    /// <summary>Reads the span at a place of a block and gives it to sinks.</summary>
    /// <param name="block">Holds it and its process.</param>
    /// <param name="position">Where it begins.</param>
    /// <param name="values">Filled with its values, which stay in the block.</param>
    /// <param name="sinks">Each gets it.</param>
    /// <returns>Where the next one begins.</returns>
    public static int Replay(RelayBlock block, int position, SpanValues values, IReadOnlyList<IExportSink> sinks)
    {
        var record = MemoryMarshal.Read<SpanRecord>(block.Bytes.AsSpan(position));
        values.Clear();
        values.Share(block.Bytes);
        var at = position + Unsafe.SizeOf<SpanRecord>();
        for (var rest = record.present; rest != 0; rest &= rest - 1)
        {
            var attribute = (SpanAttribute)BitOperations.TrailingZeroCount(rest);
            if (((SpanAttributes.Numbers >> (int)attribute) & 1) != 0)
            {
                values.Add(attribute, MemoryMarshal.Read<long>(block.Bytes.AsSpan(at)));
                at += sizeof(long);
            }
            else
            {
                var length = MemoryMarshal.Read<int>(block.Bytes.AsSpan(at));
                values.AddShared(attribute, at + sizeof(int), length);
                at += sizeof(int) + length;
            }
        }

        var span = new SpanData
        {
            Values = values, Context = record.context, Connection = record.connection,
            Start = record.spanStart, HandlerStart = record.spanHandlerStart, End = record.spanEnd,
            ClientAddress = record.client, PeerAddress = record.peer, ServerAddress = record.server,
            Pid = record.pid, Tid = record.tid, NetworkNamespace = record.network,
            ClientPort = record.clientPort, PeerPort = record.peerPort, ServerPort = record.serverPort,
            Protocol = record.protocol, Kind = record.kind, Outcome = record.outcome, IsClientNamed = record.isClientNamed,
        };
        var exported = new ExportedSpan(in span)
        {
            Process = block.Processes[record.process], Start = record.start, Duration = record.duration,
            HandlerDuration = record.handlerDuration,
        };
        for (var i = 0; i < sinks.Count; i++)
        {
            sinks[i].OnSpan(in exported);
        }

        return position + record.length;
    }

    /// <summary>No longer than that, and not within a character where the text is UTF-8.</summary>
    internal static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text, int limit)
    {
        if (text.Length <= limit)
        {
            return text;
        }

        var end = limit;
        while (end > limit - 4 && (text[end] & 0xc0) == 0x80)
        {
            end--;
        }

        return text[..(Utf8.IsValid(text[..end]) ? end : limit)];
    }
}

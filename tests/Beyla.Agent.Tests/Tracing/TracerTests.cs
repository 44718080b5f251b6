using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Http;
using Beyla.Agent.Spans;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>Table of connections, counters, decoding of records, and what it all costs.</summary>
public class TracerTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public void CountsEachEventOnce()
    {
        var rig = new Rig();
        rig.Wire.Receive(Get);
        rig.Wire.Send(Ok);
        rig.Wire.Again(SocketDirection.Send, 3, "\nok"u8);
        rig.Wire.Send("no request, no message");
        rig.Wire.Shut(SocketDirection.Receive);
        rig.Connect(2).Receive("garbage");
        rig.Connect(3).Close();
        rig.Tracer.OnRecord(new byte[20]);
        rig.Wire.Close();
        Assert.Equal(
            [
                new PlaceCounters("tracing", "events", 9, Aggregated: 3, Filtered: 5, Lost: 1),
                new PlaceCounters("tracing", "connections", 1, Aggregated: 1),
                new PlaceCounters("exchanges.http", "spans", 1, Emitted: 1),
            ],
            rig.Tracer.Count());
        rig.AssertSettled();
    }

    [Fact]
    public void RecordsAreCheckedForTheirLength()
    {
        var rig = new Rig();
        var record = new byte[Unsafe.SizeOf<SocketEvent>() + Get.Length];
        var e = rig.Wire.Event(SocketEventKind.Data, SocketDirection.Receive);
        e.Length = e.Captured = (ushort)(Get.Length + 1);
        System.Text.Encoding.ASCII.GetBytes(Get).CopyTo(record, record.Length - Get.Length);
        MemoryMarshal.Write(record, in e);
        rig.Tracer.OnRecord(record);
        Assert.Equal(0, rig.Tracer.Connections);
        e.Length = e.Captured = (ushort)Get.Length;
        MemoryMarshal.Write(record, in e);
        rig.Tracer.OnRecord(record);
        Assert.Equal(1, rig.Tracer.Connections);
        e.Kind = (SocketEventKind)77;
        MemoryMarshal.Write(record, in e);
        rig.Tracer.OnRecord(record);
        e.Kind = SocketEventKind.Data;
        e.Sequence += e.Length;
        e.Length = 3;
        MemoryMarshal.Write(record, in e);
        rig.Tracer.OnRecord(record);
        var events = rig.Tracer.Count().First();
        Assert.Equal(new PlaceCounters("tracing", "events", 4, Aggregated: 1, Filtered: 2, Lost: 1), events);
    }

    [Fact]
    public void GarbageLeavesNothingBehind()
    {
        var rig = new Rig();
        var random = new Random(1);
        var data = new byte[64];
        for (ulong i = 1; i < 5000; i++)
        {
            random.NextBytes(data);
            var wire = rig.Connect(i);
            wire.Data(SocketDirection.Receive, data);
            wire.Receive("GET k\r\n");
            wire.Send("+OK\r\n");
        }

        Assert.Empty(rig.Log.Lines);
        Assert.InRange(rig.Tracer.Connections, 0, 5);
        Assert.InRange(rig.Http.Buffers.Outstanding, 0, 5);
    }

    [Fact]
    public void FullTableEvictsTheLeastRecentlyActive()
    {
        var rig = new Rig(options: new TracerOptions { MaxConnections = 3 });
        var wires = Enumerable.Range(1, 5).Select(i => rig.Connect((ulong)i)).ToArray();
        for (var i = 0; i < 3; i++)
        {
            wires[i].Time = (ulong)(i + 1) * 10_000_000_000;
            wires[i].Receive(Get);
        }

        wires[0].Time = 60_000_000_000;
        wires[0].Receive("GET /second HTTP/1.1\r\n\r\n");
        wires[3].Time = 61_000_000_000;
        wires[3].Receive(Get);
        Assert.Equal(3, rig.Tracer.Connections);
        wires[0].Send(Ok + Ok);
        wires[1].Send(Ok);
        wires[2].Send(Ok);
        wires[3].Send(Ok);
        Assert.Equal(4, rig.Log.Lines.Count);
        var counts = rig.Tracer.Count().ToArray();
        Assert.Equal(new PlaceCounters("tracing", "connections", 4, Lost: 1, Held: 3), counts[1]);
        Assert.Equal(new PlaceCounters("exchanges.http", "spans", 5, Emitted: 4, Lost: 1), counts[2]);
        Array.ForEach(wires, w => w.Close());
        rig.AssertSettled();
    }

    [Fact]
    public void WhatTheKernelSideForgetsIsForgotten()
    {
        var rig = new Rig();
        rig.Wire.Receive("GET /open HTTP/1.1\r\n\r\n");
        rig.Wire.Forget();
        var idle = rig.Connect(2);
        idle.Receive(Get);
        idle.Send(Ok);
        idle.Forget();
        rig.Connect(3).Forget();
        Assert.Equal(2, rig.Log.Lines.Count);
        Assert.StartsWith("Server Unfinished GET /open", rig.Log.Lines[0]);
        Assert.Equal(new PlaceCounters("tracing", "connections", 2, Aggregated: 2), rig.Tracer.Count().ElementAt(1));
        rig.AssertSettled();
    }

    [Fact]
    public void StaleConnectionsAreForgottenAFewAtATime()
    {
        var rig = new Rig(options: new TracerOptions { StaleAfter = TimeSpan.FromSeconds(10) });
        for (ulong i = 1; i <= 300; i++)
        {
            rig.Connect(i).Receive(Get);
        }

        rig.Tracer.Tick(9_000_000_000);
        Assert.Equal(300, rig.Tracer.Connections);
        rig.Tracer.Tick(20_000_000_000);
        Assert.Equal(44, rig.Tracer.Connections);
        rig.Tracer.Tick(20_000_000_000);
        Assert.Equal(Enumerable.Repeat("Server Unfinished GET / host=a 1.1 0 0/-1", 300), rig.Log.Lines);
        Assert.Equal(new PlaceCounters("tracing", "connections", 300, Filtered: 300), rig.Tracer.Count().ElementAt(1));
        rig.AssertSettled();
    }

    [Fact]
    public void IdleConnectionsAreSmall()
    {
        const int Connections = 20_000;
        var quiet = new QuietTracer();
        byte[] get = System.Text.Encoding.ASCII.GetBytes(Get), ok = System.Text.Encoding.ASCII.GetBytes(Ok);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong i = 1; i <= Connections; i++)
        {
            uint received = 1, sent = 1;
            Write(quiet.Tracer, get, ref received, sent, SocketDirection.Receive, i);
            Write(quiet.Tracer, ok, ref sent, received, SocketDirection.Send, i);
        }

        // What the growing table left behind is in it too.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Connections, 50, 300);
        Assert.Equal(Connections, quiet.Tracer.Connections);
        Assert.Equal(0, quiet.Http.Buffers.Outstanding);
    }

    [Fact]
    public void NothingIsAllocatedPerEvent()
    {
        var quiet = new QuietTracer();
        byte[] get = System.Text.Encoding.ASCII.GetBytes(Get), ok = System.Text.Encoding.ASCII.GetBytes(Ok);
        Run(quiet.Tracer, get, ok, 0, 1000);
        Assert.Equal(0, Allocation.Least(round => Run(quiet.Tracer, get, ok, 1000 + (round * 20_000), 20_000)));
        Assert.Equal(101_000, quiet.Http.Count().Emitted);
    }

    [Fact]
    public void CountsAgreeWhenReadByAnotherThread()
    {
        var quiet = new QuietTracer();
        var stop = false;
        int reads = 0, wrong = 0;
        var reader = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                wrong += quiet.Tracer.Count().Count(place => !place.Balanced);
                Volatile.Write(ref reads, reads + 1);
            }
        });
        reader.Start();
        for (ulong i = 1; i <= 20_000 || Volatile.Read(ref reads) < 100; i++)
        {
            var wire = new Wire(quiet.Tracer, i);
            wire.Receive(Get);
            wire.Send(Ok);
            wire.Close();
        }

        Volatile.Write(ref stop, true);
        reader.Join();
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void CountsCanBeReadByTheSinkItself()
    {
        var quiet = new QuietTracer();
        var events = -1L;
        quiet.Reported = () => events = quiet.Tracer.Count().First().Produced;
        var wire = new Wire(quiet.Tracer);
        wire.Receive(Get);
        wire.Send(Ok);
        Assert.Equal(2, events);
    }

    /// <summary>Exchanges on warm keep-alive connections, every third with its request and its answer in two operations each.</summary>
    private static void Run(Tracer tracer, byte[] get, byte[] ok, int from, int count)
    {
        for (var i = from; i < from + count; i++)
        {
            var connection = (ulong)(i % 10) + 1;
            uint received = (uint)(i / 10 * get.Length), sent = (uint)(i / 10 * ok.Length);
            if (i % 3 == 0)
            {
                Write(tracer, get.AsSpan(0, 10), ref received, sent, SocketDirection.Receive, connection);
                Write(tracer, get.AsSpan(10), ref received, sent, SocketDirection.Receive, connection);
                Write(tracer, ok.AsSpan(0, ok.Length - 1), ref sent, received, SocketDirection.Send, connection);
                Write(tracer, ok.AsSpan(ok.Length - 1), ref sent, received, SocketDirection.Send, connection);
            }
            else
            {
                Write(tracer, get, ref received, sent, SocketDirection.Receive, connection);
                Write(tracer, ok, ref sent, received, SocketDirection.Send, connection);
            }

            tracer.Tick((ulong)i * 1000);
        }
    }

    private static void Write(
        Tracer tracer, ReadOnlySpan<byte> data, ref uint position, uint opposite, SocketDirection direction, ulong connection)
    {
        var e = new SocketEvent
        {
            Kind = SocketEventKind.Data, Connection = connection, Direction = direction, Sequence = position, Opposite = opposite,
            Length = (uint)data.Length, Captured = (ushort)data.Length, Time = 1_000_000UL + position,
        };
        position += (uint)data.Length;
        tracer.OnSocketEvent(in e, data);
    }

    /// <summary>A tracer whose spans go nowhere.</summary>
    private sealed class QuietTracer : ISpanSink
    {
        public QuietTracer()
        {
            Http = new HttpProtocol(new HttpOptions { RequestTimeout = TimeSpan.FromHours(1) }, this);
            Tracer = new Tracer(new TracerOptions(), Http);
        }

        public HttpProtocol Http { get; }

        public Tracer Tracer { get; }

        public Action? Reported { get; set; }

        public void OnSpan(in SpanData span) => Reported?.Invoke();
    }
}

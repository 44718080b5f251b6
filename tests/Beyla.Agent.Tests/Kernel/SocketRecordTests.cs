using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// Records of the sockets' ring whose length and what they say of it do not agree: none is read past its end, and each is counted. A
/// record is
/// struct socket_event (bpf/sockets.h) and as many bytes as its field <c>captured</c> says.
/// </summary>
public sealed class SocketRecordTests
{
    /// <summary>
    /// Worked out from bpf/sockets.h: 2 × 8, 6 × 4, captured, kind and direction in 4, two ports in 4, 2 × 16, protocol, flags, pieces and
    /// one more in 4, unwalked in 4, what passed in 8 + 2 × 4, goroutines in 2 × 8.
    /// </summary>
    private const int HeaderSize = 120, CapturedAt = 40;

    private const string Get = "GET /path HTTP/1.1\r\nHost: a\r\n\r\n";

    [Fact]
    public void A_record_cut_at_any_length_is_lost_and_the_next_one_is_read()
    {
        var rig = new Rig();
        var record = Record(rig, Get);
        Assert.Equal(HeaderSize + Get.Length, record.Length);
        for (var length = 0; length < record.Length; length++)
        {
            rig.Tracer.OnRecord(record.AsSpan(0, length));
            Assert.Equal(new PlaceCounters("tracing", "events", length + 1, Lost: length + 1), rig.Tracer.Count().First());
        }

        Assert.Equal(0, rig.Tracer.Connections);
        rig.Tracer.OnRecord(record);
        Assert.Equal(1, rig.Tracer.Connections);
        Assert.Equal(
            new PlaceCounters("tracing", "events", record.Length + 1, Aggregated: 1, Lost: record.Length), rig.Tracer.Count().First());
    }

    /// <summary>
    /// The ring rounds records up to 8 bytes but tells their exact length; what is longer than it says carries nothing of use behind that.
    /// </summary>
    [Fact]
    public void Bytes_behind_the_captured_ones_are_not_read()
    {
        var rig = new Rig();
        // Were they read, the head of the request would end here, before its host.
        byte[] record = [.. Record(rig, "GET /a HTTP/1.1\r\n"), .. "\r\n"u8];
        rig.Tracer.OnRecord(record);
        rig.Wire.ReceiveNext += 17;
        rig.Wire.Receive("Host: b\r\n\r\n");
        rig.Wire.Send("HTTP/1.1 204 No Content\r\n\r\n");
        Assert.Contains("GET /a host=b ", Assert.Single(rig.Log.Lines), StringComparison.Ordinal);
        rig.Wire.Close();
        rig.AssertSettled();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8191)] // SOCKET_DATA_MAX
    [InlineData(65535)]
    public void A_count_of_bytes_that_are_not_there_loses_the_record(int more)
    {
        var rig = new Rig();
        var record = Record(rig, "");
        BitConverter.GetBytes((ushort)more).CopyTo(record, CapturedAt);
        rig.Tracer.OnRecord(record);
        Assert.Equal(new PlaceCounters("tracing", "events", 1, Lost: 1), rig.Tracer.Count().First());
        Assert.Equal(0, rig.Tracer.Connections);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(255)]
    public void A_kind_that_there_is_not_is_passed_over(byte kind)
    {
        var rig = new Rig();
        var record = Record(rig, Get);
        record[CapturedAt + 2] = kind;
        rig.Tracer.OnRecord(record);
        Assert.Equal(new PlaceCounters("tracing", "events", 1, Filtered: 1), rig.Tracer.Count().First());
    }

    /// <summary>The operation as the kernel side writes it: all of its bytes captured.</summary>
    private static byte[] Record(Rig rig, string data)
    {
        var e = rig.Wire.Event(SocketEventKind.Data, SocketDirection.Receive);
        e.Length = e.Captured = (ushort)data.Length;
        return [.. MemoryMarshal.AsBytes(new ReadOnlySpan<SocketEvent>(in e)), .. Encoding.ASCII.GetBytes(data)];
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>Operations of which several stretches were captured, and records that lie about them.</summary>
public class StretchesTests
{
    private readonly FakeRig rig = new();

    private Wire Wire => rig.Wire;

    [Fact]
    public void Each_stretch_is_a_segment_with_what_passed_behind_it()
    {
        Receive("first0123456789abcdefghij", (0, 7, false), (3, 4, true), (5, 2, false), (1, 3, true));
        Assert.Equal(["open", "<first01+3", "<|5678+5", "<ef+1", "<|hij"], rig.First.Log);
    }

    [Fact]
    public void The_end_of_an_operation_is_the_tail_of_the_stretch_before_it()
    {
        Receive("first0123456789", (0, 7, true), (2, 2, false), (1, 3, false));
        Assert.Equal(["open", "<|first01+2", "<45+4 tail=789"], rig.First.Log);
    }

    [Fact]
    public void A_last_stretch_that_begins_with_a_frame_is_none()
    {
        Receive("first0123456789", (0, 7, false), (5, 3, true));
        Assert.Equal(["open", "<first01+5", "<|789"], rig.First.Log);
    }

    [Fact]
    public void Nothing_at_the_beginning()
    {
        Wire.Receive("first.");
        Receive("f123456789", (0, 0, false), (4, 2, true));
        Assert.Equal(["open", "<first."], rig.First.Log);
        Wire.Receive("first");
        Receive("f123456789", (0, 0, false), (4, 2, true));
        Assert.Equal(["<+4", "<|45+4"], rig.First.Log[^2..]);
    }

    /// <summary>Four stretches, abcd efg HI jk lm nopq rst, of which the first bytes came before (after MSG_PEEK).</summary>
    [Theory]
    [InlineData(0, "<abcd+3 <|hi+2 <lm+7 tail=rst")]
    [InlineData(2, "<cd+3 <|hi+2 <lm+7 tail=rst")]
    [InlineData(4, "<+3 <|hi+2 <lm+7 tail=rst")]
    [InlineData(5, "<+2 <|hi+2 <lm+7 tail=rst")]
    [InlineData(7, "<|hi+2 <lm+7 tail=rst")]
    [InlineData(8, "<i+2 <lm+7 tail=rst")]
    [InlineData(9, "<+2 <lm+7 tail=rst")]
    [InlineData(11, "<lm+7 tail=rst")]
    [InlineData(13, "<+7 tail=rst")]
    [InlineData(17, "<rst tail=rst")]
    [InlineData(19, "<t tail=rst")]
    [InlineData(20, "")]
    public void What_was_reported_before_is_passed_over(int known, string expected)
    {
        Wire.Receive("first");
        Wire.Receive(new string('x', known));
        Wire.ReceiveNext -= (uint)known;
        rig.First.Log.Clear();
        Receive("abcdefghijklmnopqrst", (0, 4, false), (3, 2, true), (2, 2, false), (4, 3, false));
        Assert.Equal(expected, string.Join(' ', rig.First.Log));
    }

    /// <summary>A record is as long as its stretches; one that is shorter is lost, whole, wherever it is cut.</summary>
    [Fact]
    public void A_record_that_is_cut_anywhere_is_lost()
    {
        var record = Record("first0123456789", 7, (2, 2), (1, 3));
        for (var length = 0; length < record.Length; length++)
        {
            rig.Tracer.OnRecord(record.AsSpan(0, length));
        }

        Assert.Equal(new PlaceCounters("tracing", "events", record.Length, Lost: record.Length), rig.Tracer.Count().First());
        rig.Tracer.OnRecord(record);
        Assert.Equal(["open", "<first01+2", "<45+4 tail=789"], rig.First.Log);
    }

    /// <summary>A gap or a length that does not fit into the operation.</summary>
    [Theory]
    [InlineData(1000, 2)]
    [InlineData(0xffffffff, 2)]
    [InlineData(6, 2)]
    public void Stretches_beyond_the_operation_are_filtered(uint gap, int length)
    {
        rig.Tracer.OnRecord(Record("first0123456789", 8, (gap, length)));
        Assert.Equal(new PlaceCounters("tracing", "events", 1, Filtered: 1), rig.Tracer.Count().First());
        rig.AssertEmpty();
    }

    [Theory]
    [InlineData(0x7fffffff)]
    [InlineData(0xffffffff)]
    [InlineData(100)]
    public void A_length_beyond_the_record_is_lost(uint length)
    {
        var record = Record("first0123456789", 7, (2, 2));
        BitConverter.GetBytes(length).CopyTo(record, record.Length - 6);
        rig.Tracer.OnRecord(record);
        Assert.Equal(new PlaceCounters("tracing", "events", 1, Lost: 1), rig.Tracer.Count().First());
    }

    [Fact]
    public void Random_records_do_no_harm()
    {
        var random = new Random(20261127);
        var record = Record("first0123456789", 7, (2, 2), (1, 3));
        for (var i = 0; i < 100_000; i++)
        {
            var copy = record.ToArray();
            for (var n = random.Next(4); n >= 0; n--)
            {
                copy[random.Next(40, copy.Length)] = (byte)random.Next(256);
            }

            rig.Tracer.OnRecord(copy);
        }

        Assert.All(rig.Tracer.Count(), place => Assert.True(place.Balanced));
    }

    [Fact]
    public void Bytes_in_which_no_frames_were_followed_are_counted()
    {
        Assert.DoesNotContain(rig.Tracer.Count(), place => place.Place == "frames");
        var e = Wire.Event(SocketEventKind.Data, SocketDirection.Receive);
        (e.Length, e.Captured, e.Unwalked) = (1000, 5, 900);
        rig.Tracer.OnSocketEvent(in e, "first"u8);
        Assert.Contains(new PlaceCounters("frames", "bytes", 900, Lost: 900), rig.Tracer.Count());
    }

    /// <summary>They are the last ones of the operation: of its last stretch, as far as they are unseen there.</summary>
    [Theory]
    [InlineData(0, "<first01+2 <45+4 tail=789")]
    [InlineData(3, "<first01+2 <45+4(3) tail=789")]
    [InlineData(900, "<first01+2 <45+4(4) tail=789")]
    public void Of_bytes_in_which_no_frames_were_followed_conversations_know(uint unwalked, string expected)
    {
        Wire.Receive("first");
        rig.First.Log.Clear();
        Wire.Unwalked = unwalked;
        Receive("first0123456789", (0, 7, false), (2, 2, false), (1, 3, false));
        Assert.Equal(expected, string.Join(' ', rig.First.Log));
    }

    [Fact]
    public void Nothing_captured_and_no_frames_followed()
    {
        Wire.Receive("first");
        rig.First.Log.Clear();
        Wire.Unwalked = 10;
        Receive("0123456789", (0, 0, false));
        Wire.Unwalked = 4;
        Receive("0123456789", (0, 5, false));
        Receive("0123456789", (0, 10, false));
        Assert.Equal(["<+10(10)", "<01234+5(4)", "<0123456789"], rig.First.Log);
    }

    private void Receive(string data, params (int Gap, int Length, bool Aligned)[] stretches) =>
        Wire.Pieces(SocketDirection.Receive, Encoding.ASCII.GetBytes(data), stretches);

    /// <summary>An operation as the kernel side writes it.</summary>
    private byte[] Record(string data, int captured, params (uint Gap, int Length)[] pieces)
    {
        var bytes = Encoding.ASCII.GetBytes(data);
        var e = Wire.Event(SocketEventKind.Data, SocketDirection.Receive);
        (e.Length, e.Captured, e.Pieces) = ((uint)data.Length, (ushort)captured, (byte)pieces.Length);
        List<byte> record = [.. MemoryMarshal.AsBytes(new ReadOnlySpan<SocketEvent>(in e)), .. bytes[..captured]];
        var at = (long)captured;
        foreach (var (gap, length) in pieces)
        {
            at += gap;
            record.AddRange(BitConverter.GetBytes(gap));
            record.AddRange(BitConverter.GetBytes(length));
            record.AddRange(at + length <= bytes.Length ? bytes[(int)at..(int)(at + length)] : new byte[length]);
            at += length;
        }

        return [.. record];
    }
}

using Beyla.Agent.Counting;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>Which protocol gets a connection, that it keeps it, and what the kernel side is told of it.</summary>
public class RecognitionTests
{
    private readonly FakeRig rig = new();

    private Wire Wire => rig.Wire;

    [Fact]
    public void The_protocol_that_confirms_gets_the_connection_and_the_kernel_side_is_told()
    {
        Wire.Receive("firm 1.");
        Wire.Send("one.");
        Assert.Equal(["open", "<firm 1."], rig.Second.Log);
        Assert.Empty(rig.First.Log);
        Assert.Equal([(1UL, ProtocolId.Redis)], rig.Verdicts.Told[..1]);
    }

    [Fact]
    public void Nobody_is_told_what_the_kernel_side_said_itself()
    {
        Wire.Named = ProtocolId.Redis;
        Wire.Receive("firm 1");
        Wire.Send("one.");
        Wire.Receive("f2.");
        Assert.Equal(["open", "<firm 1", ">one.", "open", "<f2."], rig.Second.Log);
        Assert.Empty(rig.Verdicts.Told);
        Assert.Empty(rig.First.Asked);
    }

    [Fact]
    public void What_the_kernel_side_named_is_asked_first_and_can_say_no()
    {
        Wire.Named = ProtocolId.Redis;
        Wire.Receive("first 1");
        Assert.Equal(["first 1"], rig.Second.Asked);
        Assert.Equal(["open", "<first 1"], rig.First.Log);
        Assert.Equal([(1UL, ProtocolId.Http)], rig.Verdicts.Told);
    }

    [Fact]
    public void A_connection_never_becomes_another_one_by_what_comes_later()
    {
        Wire.Named = ProtocolId.Http;
        Wire.Receive("first 1.");
        Wire.Receive("firm 2.");
        Wire.Receive("none.");
        Assert.Equal(["open", "<first 1.", "open", "<firm 2."], rig.First.Log);
        Assert.Empty(rig.Second.Asked);
        Assert.Equal((2, 1), rig.Events);
    }

    [Fact]
    public void The_kernel_side_can_name_another_protocol_that_then_has_to_confirm()
    {
        Wire.Named = ProtocolId.Http;
        Wire.Receive("first 1");
        Wire.Named = ProtocolId.Redis;
        // In the middle of something it is not believed, nor when the protocol does not agree.
        Wire.Receive("firm 1.");
        Wire.Receive("f.");
        Assert.Empty(rig.Second.Log);
        Assert.All(rig.Verdicts.Told, told => Assert.Equal((1UL, ProtocolId.Http), told));
        Wire.Receive("firm 2.");
        Assert.Equal(["open", "<firm 2."], rig.Second.Log);
    }

    [Fact]
    public void A_verdict_is_told_again_while_events_disagree()
    {
        for (var i = 0; i < 3; i++)
        {
            Wire.Receive("first.");
        }

        Wire.Named = ProtocolId.Http;
        Wire.Receive("first.");
        Assert.Equal(Enumerable.Repeat((1UL, ProtocolId.Http), 3), rig.Verdicts.Told);
    }

    [Fact]
    public void Small_operations_wait_and_come_with_their_own_times()
    {
        Wire.Flags = SocketEventFlags.Fresh;
        var times = new List<(long, int)>();
        foreach (var part in (string[])["f", "ir", "st 1"])
        {
            Wire.Pid++;
            Wire.Receive(part);
            times.Add(((long)Wire.Time, (int)Wire.Pid));
        }

        Wire.Receive(" 2.");
        Assert.Equal(["open", "<f", "<ir", "<st 1", "< 2."], rig.First.Log);
        Assert.Equal(times, rig.First.Times[..3]);
        Assert.Equal("first 1 fresh", rig.First.Asked[^1]);
        Assert.Equal((4, 0), rig.Events);
        Wire.Close();
        rig.AssertEmpty();
    }

    [Fact]
    public void What_waits_is_delivered_in_the_order_of_both_directions()
    {
        Wire.Receive("fi");
        Wire.Send("hello");
        Wire.Receive("rm 1.");
        Assert.Equal(["open", "<fi", ">hello", "<rm 1."], rig.Second.Log);
        Assert.Empty(rig.First.Log);
    }

    [Fact]
    public void The_other_direction_can_decide()
    {
        Wire.Receive("f");
        Wire.Send("first 1.");
        Assert.Equal(["open", "<f", ">first 1."], rig.First.Log);
    }

    [Fact]
    public void A_fresh_connection_that_nobody_wants_is_foreign_and_leaves_nothing_behind()
    {
        Wire.Flags = SocketEventFlags.Fresh;
        Wire.Receive("fi");
        Assert.Equal(1, rig.Tracer.Connections);
        Wire.Receive("ne");
        Assert.Equal([(1UL, ProtocolId.Foreign)], rig.Verdicts.Told);
        rig.AssertEmpty();
    }

    [Fact]
    public void One_that_was_there_before_is_foreign_only_after_some_turns()
    {
        for (var i = 0; i < 4; i++)
        {
            Assert.Empty(rig.Verdicts.Told);
            Wire.Receive("the inside of something");
            Wire.Receive("and more of it");
            Wire.Send("a response");
        }

        Assert.Equal([(1UL, ProtocolId.Foreign)], rig.Verdicts.Told);
        rig.AssertEmpty();
    }

    [Fact]
    public void What_the_kernel_side_named_wrongly_it_is_to_recognise_anew()
    {
        Wire.Named = ProtocolId.Redis;
        Wire.Receive("the inside of something");
        Assert.Equal([(1UL, ProtocolId.None)], rig.Verdicts.Told);
        Wire.Named = ProtocolId.None;
        Wire.Receive("firm 1.");
        Assert.Equal(["open", "<firm 1."], rig.Second.Log);
    }

    /// <summary>The kernel side says so of all operations of a connection.</summary>
    [Fact]
    public void Only_the_first_operation_is_fresh()
    {
        Wire.Flags = SocketEventFlags.Fresh;
        Wire.Receive("none");
        Wire.Receive("none");
        Assert.Equal(["none fresh", "none"], rig.First.Asked);
    }

    [Fact]
    public void Bytes_that_are_missing_force_a_decision()
    {
        Wire.Receive("first");
        var other = new Wire(rig.Tracer, 2);
        other.Receive("fir");
        other.Miss(SocketDirection.Receive, 5);
        other.Receive("rest");
        Assert.Contains("fir+1", rig.First.Asked);
        Assert.Equal(1, rig.Tracer.Connections);
        other.Close();
        Wire.Close();
        rig.AssertEmpty();
    }

    [Fact]
    public void Missing_bytes_are_told_in_their_place()
    {
        Wire.Send("greetings");
        Wire.Receive("fir");
        Wire.Miss(SocketDirection.Send, 7);
        Wire.Send("more");
        Wire.Receive("st.");
        Assert.Equal(["open", "<fir", "gap Send 7", ">more", "<st."], rig.First.Log);
    }

    [Fact]
    public void More_than_can_wait_does_not()
    {
        var longWord = new FakeProtocol(ProtocolId.Http, new string('x', 200));
        var tracer = new Agent.Tracing.Tracer(new Agent.Tracing.TracerOptions(), rig.Buffers, rig.Verdicts, longWord);
        var wire = new Wire(tracer);
        for (var i = 0; i < 64; i++)
        {
            wire.Receive("x");
            Assert.Equal(1, tracer.Connections);
        }

        wire.Receive("x");
        Assert.Equal(0, tracer.Connections);
        rig.AssertEmpty();
        Assert.Empty(rig.Verdicts.Told);
        new Wire(tracer, 2).Receive(new string('x', 100));
        Assert.Equal(0, tracer.Connections);
    }

    [Fact]
    public void A_connection_that_ends_undecided_is_gone()
    {
        Wire.Receive("fi");
        Wire.Shut(SocketDirection.Send);
        Wire.Urgent(SocketDirection.Receive);
        Wire.Close();
        var other = new Wire(rig.Tracer, 2);
        other.Receive("fi");
        other.Forget();
        rig.AssertEmpty();
        Assert.Equal(new PlaceCounters("tracing", "connections", 2, Aggregated: 2), rig.Tracer.Count().ElementAt(1));
    }

    /// <summary>Events cost a protocol nothing as long as it has nothing to do; what is overdue is done before the next event.</summary>
    [Fact]
    public void Time_is_told_when_something_is_due()
    {
        Wire.Receive("first");
        var (first, second) = (rig.First.Ticks, rig.Second.Ticks);
        rig.First.Due = (long)Wire.Time + 10_000;
        for (var i = 0; i < 9; i++)
        {
            Wire.Receive("more");
        }

        Assert.Equal((first, second), (rig.First.Ticks, rig.Second.Ticks));
        Wire.Receive("more");
        Assert.Equal((first + 1, second + 1), (rig.First.Ticks, rig.Second.Ticks));
    }
}

using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>A conversation gives its connection to another protocol.</summary>
public class HandOverTests
{
    private readonly FakeRig rig = new();

    private Wire Wire => rig.Wire;

    [Fact]
    public void What_is_not_consumed_goes_to_the_other_protocol_without_question()
    {
        rig.First.Next = ProtocolId.Redis;
        Wire.Receive("first!unlike it.");
        Wire.Send("yes");
        Assert.Equal(["open", "<first!unlike it."], rig.First.Log);
        Assert.Equal(["open", "<unlike it."], rig.Second.Log);
        Assert.Equal(1, rig.First.Released);
        Wire.Receive("f again.");
        Assert.Equal(["open", "<unlike it.", "open", "<f again."], rig.Second.Log);
        Assert.Contains((1UL, ProtocolId.Redis), rig.Verdicts.Told);
    }

    [Fact]
    public void Nothing_may_be_left_for_it_yet()
    {
        rig.First.Next = ProtocolId.Redis;
        Wire.Receive("first!");
        Wire.Receive("f then.");
        Assert.Equal("<f then.", rig.Second.Log[^1]);
    }

    [Fact]
    public void A_foreign_connection_costs_no_conversation_and_stays_so()
    {
        Wire.Receive("first!rest");
        Wire.Named = ProtocolId.Http;
        Wire.Receive("first 2.");
        Wire.Send("firm 2.");
        Assert.Equal(["open", "<first!rest"], rig.First.Log);
        Assert.Equal(1, rig.First.Released);
        Assert.Equal(1, rig.Tracer.Connections);
        Assert.Equal(0, rig.Buffers.Used);
        // Told once, and again with each event that says something else.
        Assert.Equal(3, rig.Verdicts.Told.Count(told => told == (1UL, ProtocolId.Foreign)));
        Wire.Close();
        rig.AssertEmpty();
    }

    [Fact]
    public void To_a_protocol_that_there_is_not_is_foreign()
    {
        rig.First.Next = ProtocolId.Postgres;
        Wire.Receive("first!rest");
        Assert.Equal((1UL, ProtocolId.Foreign), rig.Verdicts.Told[^1]);
    }

    [Fact]
    public void A_circle_ends()
    {
        rig.First.Next = ProtocolId.Redis;
        rig.Second.Next = ProtocolId.Http;
        Wire.Receive("first!!!!!!!!!!!!!!!!");
        Assert.InRange(rig.First.Log.Count + rig.Second.Log.Count, 4, 12);
        Assert.Equal((1UL, ProtocolId.Foreign), rig.Verdicts.Told[^1]);
    }

    [Fact]
    public void It_works_for_bytes_that_waited()
    {
        rig.First.Next = ProtocolId.Redis;
        Wire.Receive("fir");
        Wire.Receive("st!and.");
        Assert.Equal(["open", "<and."], rig.Second.Log);
    }
}

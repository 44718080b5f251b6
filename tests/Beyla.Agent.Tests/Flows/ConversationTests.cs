using System.Net;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Flows;

/// <summary>Who called, and which interface reports.</summary>
public sealed class ConversationTests
{
    private const ulong Second = 1_000_000_000;

    [Fact]
    public void A_syn_tells_both_directions_who_called()
    {
        ConversationTable table = new(1024, TimeSpan.FromSeconds(10));
        table.Prepare(Key("10.0.0.9", 5000, "10.0.0.2", 80), Value(1 * Second, FlowValue.Called));

        Assert.Equal(FlowDirection.Request, table.Look(Key("10.0.0.9", 5000, "10.0.0.2", 80), Value(2 * Second), out _));
        Assert.Equal(FlowDirection.Response, table.Look(Key("10.0.0.2", 80, "10.0.0.9", 5000), Value(2 * Second), out _));
        Assert.Equal(FlowDirection.Unknown, table.Look(Key("10.0.0.2", 81, "10.0.0.9", 5000), Value(2 * Second), out _));
    }

    [Fact]
    public void An_answered_syn_is_as_good_unless_the_syn_itself_was_seen()
    {
        ConversationTable table = new(1024, TimeSpan.FromSeconds(10));
        table.Prepare(Key("10.0.0.2", 80, "10.0.0.9", 5000), Value(1 * Second, FlowValue.Answered));
        Assert.Equal(FlowDirection.Request, table.Look(Key("10.0.0.9", 5000, "10.0.0.2", 80), Value(2 * Second), out _));
    }

    [Fact]
    public void The_interface_that_saw_it_first_reports_whatever_the_order_of_the_drain()
    {
        ConversationTable table = new(1024, TimeSpan.FromSeconds(10));
        FlowKey late = Key("10.0.0.1", 1, "10.0.0.2", 2, link: 7), early = Key("10.0.0.1", 1, "10.0.0.2", 2, link: 3);
        table.Prepare(late, Value(5 * Second));
        table.Prepare(early, Value(4 * Second));

        table.Look(late, Value(5 * Second), out bool lateIsFirst);
        table.Look(early, Value(4 * Second), out bool earlyIsFirst);
        Assert.Equal((false, true), (lateIsFirst, earlyIsFirst));
    }

    [Fact]
    public void Another_interface_takes_over_after_the_time_to_live()
    {
        ConversationTable table = new(1024, TimeSpan.FromSeconds(10));
        FlowKey first = Key("10.0.0.1", 1, "10.0.0.2", 2, link: 3), other = Key("10.0.0.1", 1, "10.0.0.2", 2, link: 7);
        table.Prepare(first, Value(1 * Second));
        table.Prepare(other, Value(10 * Second));
        table.Look(other, Value(10 * Second), out bool tooEarly);
        table.Prepare(other, Value(30 * Second));
        table.Look(other, Value(30 * Second), out bool afterwards);
        Assert.Equal((false, true), (tooEarly, afterwards));
    }

    [Fact]
    public void It_grows_to_its_limit_and_stays_there()
    {
        ConversationTable table = new(4096, TimeSpan.FromSeconds(10));
        for (int i = 0; i < 20_000; i++)
        {
            table.Prepare(Key("10.0.0.1", 1 + i, "10.0.0.2", 2), Value(Second, FlowValue.Called));
        }

        int known = Enumerable.Range(0, 20_000).Count(i => i > 19_000 && Known(table, i));
        Assert.InRange(table.Evicted, 20_000 - 4096, 20_000);
        Assert.True(known > 0);

        static bool Known(ConversationTable table, int i)
        {
            FlowDirection side = table.Look(Key("10.0.0.1", 1 + i, "10.0.0.2", 2), Value(Second), out _);
            return side == FlowDirection.Request;
        }
    }

    /// <summary>
    /// Whatever the key of the hash: 3,000 conversations that differ in one port find room among 4,096 in groups of eight, but for those
    /// whose group happens to be full. Random groups give 4,096 x P(Poisson(5.86) > 8) x (excess of about 1.7), some 120 of them.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Ports_in_a_row_spread_over_all_groups_for_every_key_of_the_hash(int side)
    {
        Random random = new(20261128);
        ulong[] seeds = new ulong[3];
        for (int round = 0; round < 3_000; round++)
        {
            // Some keys whose bits are few, which are the unlucky ones, and whatever else comes.
            for (int i = 0; i < seeds.Length; i++)
            {
                seeds[i] = (ulong)random.NextInt64() << random.Next(0, 64) >> random.Next(0, 64);
            }

            ConversationTable table = new(4096, TimeSpan.FromSeconds(10), seeds);
            for (int i = 0; i < 3_000; i++)
            {
                table.Prepare(Key(side == 0 ? 1024 + i : 80, side == 0 ? 80 : 1024 + i), Value(Second, FlowValue.Called));
            }

            Assert.True(table.Evicted < 300, $"{table.Evicted} of 3,000 made room too early with the key {string.Join(", ", seeds)}");
        }

        static FlowKey Key(int sourcePort, int destinationPort) => new()
        {
            Source = Address.From(new IPAddress([10, 0, 0, 1])), SourcePort = (ushort)sourcePort, Interface = 1,
            Destination = Address.From(new IPAddress([10, 0, 0, 2])), DestinationPort = (ushort)destinationPort, Protocol = 6,
            Direction = InterfaceDirection.Egress,
        };
    }

    private static FlowKey Key(string source, int sourcePort, string destination, int destinationPort, uint link = 1) => new()
    {
        Source = Address.From(IPAddress.Parse(source)), SourcePort = (ushort)sourcePort,
        Destination = Address.From(IPAddress.Parse(destination)), DestinationPort = (ushort)destinationPort, Interface = link, Protocol = 6,
        Direction = InterfaceDirection.Egress,
    };

    private static FlowValue Value(ulong time, uint flags = 0) => new() { First = time, Last = time, Flags = flags };
}

using System.Net;
using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Flows;

/// <summary>What the reporter makes of the batches that the exchange holds.</summary>
public sealed class ReportedBatchTests : IDisposable
{
    private const ulong Second = 1_000_000_000;

    private readonly NetworkConfiguration options = new();
    private readonly PlayedKernel kernel = new();
    private readonly Taken taken = new();
    private readonly HostNetwork network;
    private readonly OverflowTable overflow;
    private readonly FlowReporter reporter;

    public ReportedBatchTests()
    {
        network = new HostNetwork(options);
        reporter = new FlowReporter(options, taken, new FlowHost(), kernel, network);
        overflow = new OverflowTable(reporter.PrepareAndAdd);
    }

    public void Dispose()
    {
        reporter.Dispose();
        network.Dispose();
        kernel.Dispose();
    }

    [Fact]
    public void Flows_that_are_added_one_by_one_are_asked_for_in_batches_and_all_reported()
    {
        kernel.Owners[700] = new SocketOwner { Pid = 5, Exact = 1 };
        for (int port = 1; port <= 1200; port++)
        {
            reporter.PrepareAndAdd(Key(port), Value(Second, bytes: (ulong)port));
        }

        reporter.ReportAdded();
        reporter.EndOfBatch(overflow);

        Assert.Equal([512, 512, 176], kernel.Asked.Select(batch => batch.Length));
        Assert.Equal(
            Enumerable.Range(1, 1200).Select(port => (port, (ulong)port, port == 700 ? 5 : 0)), taken.Flows);
        Assert.Equal((1200L, 1200L, 0L), (reporter.Totals.Produced, reporter.Totals.Emitted, reporter.Totals.Filtered));
        // 1 + 2 + … + 1200
        Assert.Equal((1200L, 720_600L), (reporter.Totals.Packets, reporter.Totals.Bytes));
        Assert.Equal((1200L, 1L), (reporter.Totals.OwnersWanted, reporter.Totals.OwnersFound));
        Assert.True(reporter.WantsOwners);
    }

    [Fact]
    public void Nobody_is_asked_for_what_another_interface_reports()
    {
        kernel.Owners[2] = new SocketOwner { Pid = 22, Exact = 1 };
        kernel.Owners[4] = new SocketOwner { Pid = 44, Exact = 1 };
        // Ports 1 and 3 were seen earlier by interface 9, whose packets are in the batch too.
        FlowKey[] keys = [Key(1), Key(2), Key(3), Key(4), Key(1, link: 9), Key(3, link: 9)];
        FlowValue[] values =
        [
            Value(5 * Second, 10), Value(5 * Second, 20), Value(5 * Second, 30), Value(5 * Second, 40), Value(4 * Second, 11),
            Value(4 * Second, 31),
        ];
        for (int i = 0; i < keys.Length; i++)
        {
            (kernel.Exchange.Keys[i], kernel.Exchange.Values[i]) = (keys[i], values[i]);
            reporter.Prepare(in keys[i], in values[i]);
        }

        reporter.Report(keys.Length);
        reporter.EndOfBatch(overflow);

        Assert.Equal([2, 4, 1, 3], Assert.Single(kernel.Asked).Select(asked => asked.Port));
        Assert.Equal([(2, 20UL, 22), (4, 40UL, 44), (1, 11UL, 0), (3, 31UL, 0)], taken.Flows);
        Assert.Equal(
            (6L, 4L, 2L, 142L), (reporter.Totals.Produced, reporter.Totals.Emitted, reporter.Totals.Filtered, reporter.Totals.Bytes));
        Assert.Equal((4L, 2L), (reporter.Totals.OwnersWanted, reporter.Totals.OwnersFound));
    }

    /// <summary>127.0.0.0/8 is the host's (RFC 1122, 3.2.1.3); 203.0.113.0/24 is nobody's (RFC 5737).</summary>
    [Fact]
    public void The_question_says_whether_the_hosts_end_has_an_address_of_the_host()
    {
        FlowKey passed = Key(1) with { Source = Address.From(IPAddress.Parse("203.0.113.7")) };
        FlowKey incoming = Key(2) with { Direction = InterfaceDirection.Ingress }; // its host's end is the destination
        FlowKey back = passed with { SourcePort = 3, Destination = Key(1).Source, Direction = InterfaceDirection.Ingress };
        foreach (FlowKey key in new[] { passed, incoming, back, Key(4) })
        {
            reporter.PrepareAndAdd(in key, Value(Second));
        }

        reporter.ReportAdded();
        reporter.EndOfBatch(overflow);

        Assert.Equal([(1, false), (2, false), (3, true), (4, true)], Assert.Single(kernel.Asked));
        Assert.Equal(2, reporter.Totals.OwnersWanted);
    }

    [Fact]
    public void Only_the_listeners_process_is_worth_another_look_and_only_until_the_next_batch()
    {
        kernel.Owners[1] = new SocketOwner { Pid = 5, Exact = 0 };
        reporter.PrepareAndAdd(Key(1), Value(Second));
        reporter.ReportAdded();
        reporter.EndOfBatch(overflow);
        Assert.True(reporter.WantsOwners);

        kernel.Owners[1] = new SocketOwner { Pid = 6, Exact = 1 };
        reporter.PrepareAndAdd(Key(1), Value(2 * Second));
        reporter.ReportAdded();
        reporter.EndOfBatch(overflow);
        Assert.False(reporter.WantsOwners);
        Assert.Equal([5, 6], taken.Flows.Select(flow => flow.Pid));
    }

    [Fact]
    public void Where_processes_are_not_known_nobody_is_asked()
    {
        using PlayedKernel blind = new(knowsProcesses: false);
        using FlowReporter other = new(options, taken, new FlowHost(), blind, network);
        blind.Exchange.Found.Fill(1);
        blind.Exchange.Ours.Fill(1);
        blind.Exchange.Owners.Fill(new SocketOwner { Pid = 9 });
        other.PrepareAndAdd(Key(1), Value(Second));
        other.ReportAdded();
        other.EndOfBatch(overflow);

        Assert.Empty(blind.Asked);
        Assert.Equal([(1, 1UL, 0)], taken.Flows);
        Assert.Equal((0L, 0L, false), (other.Totals.OwnersWanted, other.Totals.OwnersFound, other.WantsOwners));
    }

    private static FlowKey Key(int port, uint link = 2) => new()
    {
        Source = Address.From(IPAddress.Loopback), SourcePort = (ushort)port, Destination = Address.From(IPAddress.Parse("203.0.113.5")),
        DestinationPort = 80, Protocol = 6, Interface = link, Direction = InterfaceDirection.Egress,
    };

    private static FlowValue Value(ulong at, ulong bytes = 1) => new() { Bytes = bytes, Packets = 1, First = at, Last = at };

    private sealed class Taken : IFlowSink
    {
        public List<(int Port, ulong Bytes, int Pid)> Flows { get; } = [];

        public void OnFlow(in FlowData flow) => Flows.Add((flow.Key.SourcePort, flow.Value.Bytes, flow.Pid));

        public void Flush()
        {
        }
    }
}

using System.Buffers.Binary;
using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Live.Tests.Rig;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Flows;

/// <summary>The flow programs on packets made by hand and mutated, run by the kernel without any interface.</summary>
public sealed class DecoderTests
{
    private const string A = "10.1.0.1", B = "10.1.0.2", A6 = "fd00::1", B6 = "fd00::2";

    public static TheoryData<string> Ways => ["flow_socket", "flow_ingress", "flow_egress"];

    private static readonly byte[][] Frames =
    [
        Packets.IPv4(A, B, 6, Packets.Tcp(4000, 80, 0x02)),
        Packets.IPv4(B, A, 6, Packets.Tcp(80, 4000, 0x12, 100)),
        Packets.IPv4(A, B, 17, Packets.Udp(5000, 53)), // shorter than what is read at once
        Packets.IPv4(A, B, 17, Packets.Udp(5000, 53, 1400)),
        Packets.IPv4(A, B, 1, [8, 0, 0, 0, 0, 1, 0, 1]),
        Packets.IPv4(A, B, 132, Packets.Sctp(2905, 2906)),
        Packets.IPv4(A, B, 47, new byte[24]),
        Packets.IPv4(A, B, 6, Packets.Tcp(4001, 81, 0x10, 10), options: [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Packets.IPv4(A, B, 17, Packets.Udp(6000, 6001, 1472), id: 7, fragment: 0x2000),
        Packets.IPv4(A, B, 17, new byte[800], id: 7, fragment: 0x2000 | 185),
        Packets.IPv4(A, B, 17, new byte[100], id: 7, fragment: 285),
        Packets.IPv4(A, B, 17, new byte[400], id: 7, fragment: 100), // overlaps the others
        Packets.IPv4(A, B, 17, new byte[100], id: 8, fragment: 285), // its first fragment was never seen
        Packets.IPv4(A, B, 17, [1, 2], id: 9, fragment: 0x2000), // too short to hold ports
        Packets.Tagged(5, Packets.IPv4(A, B, 6, Packets.Tcp(4000, 80, 0x10))),
        Packets.Tagged(5, Packets.Tagged(6, Packets.IPv4(A, B, 17, Packets.Udp(1, 2, 30)))),
        Packets.IPv6(A6, B6, 6, Packets.Tcp(4000, 80, 0x02)),
        Packets.IPv6(A6, B6, 17, Packets.Udp(5000, 53)),
        Packets.IPv6(A6, B6, 58, 128, 0, 0, 0, 0, 1, 0, 1),
        Packets.IPv6(
            A6, B6, 0, [.. Packets.Extension(43), .. Packets.Extension(60, 8), .. Packets.Extension(17), .. Packets.Udp(5001, 54, 20)]),
        Packets.IPv6(A6, B6, 51, [.. Packets.Extension(6, 0), .. new byte[8], .. Packets.Tcp(1, 2, 0x10)]),
        Packets.IPv6(A6, B6, 44, [.. Packets.FragmentHeader(17, 0, true, 77), .. Packets.Udp(7000, 7001, 1000)]),
        Packets.IPv6(A6, B6, 44, [.. Packets.FragmentHeader(17, 126, false, 77), .. new byte[300]]),
        Packets.IPv6(A6, B6, 44, [.. Packets.FragmentHeader(17, 0, false, 78), .. Packets.Udp(7002, 7003)]),
        Packets.IPv6(A6, B6, 50, new byte[40]),
        Packets.IPv6(A6, B6, 59),
        Packets.Ethernet(0x0806, new byte[46]),
        Packets.Ethernet(0x88cc, new byte[50]),
        Packets.Tagged(5, Packets.Ethernet(0x0800, 0x45, 0)), // cut within the header
        Packets.Tagged(5, Packets.Ethernet(0x86dd, new byte[39])),
        Packets.Ethernet(0x0800, [0x44, .. new byte[40]]), // a header shorter than a header
        Packets.Ethernet(0x0800, [0x65, .. new byte[40]]),
        Packets.IPv4(A, B, 6, [1, 2, 3]),
    ];

    [LiveTheory, MemberData(nameof(Ways))]
    public Task Counts_packets_made_by_hand(string way) => Task.Run(() =>
    {
        using Fixture fixture = new(way);
        foreach (byte[] frame in Frames)
        {
            fixture.Run(frame);
        }

        fixture.AssertSame();
        // One spot check that does not lean on the reference: fragments 2 to 4 of datagram 7 have its ports.
        Assert.Equal(4, fixture.Flows.Single(flow => flow.Key is { SourcePort: 6000, DestinationPort: 6001 }).Value.Packets);
    });

    [LiveTheory, MemberData(nameof(Ways))]
    public Task Counts_mutated_packets_like_the_reference(string way) => Task.Run(() =>
    {
        Random random = new(20261122);
        using Fixture fixture = new(way);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] frame = [.. Frames[random.Next(Frames.Length)]];
            for (int changes = random.Next(4); changes > 0; changes--)
            {
                frame[random.Next(12, Math.Min(frame.Length, 90))] = (byte)random.Next(256);
            }

            if (random.Next(3) == 0)
            {
                frame = frame[..random.Next(15, frame.Length + 1)];
            }

            fixture.Run(frame);
        }

        fixture.AssertSame();
    });

    [LiveTheory, MemberData(nameof(Ways))]
    public Task Counts_the_wire_packets_of_a_super_frame(string way) => Task.Run(() =>
    {
        using Fixture fixture = new(way, link: way == "flow_socket" ? 0 : 14);
        // 10 segments of 1000 bytes; each has its own headers of 14 + 20 + 20 bytes on the wire. The test run shows no link header to a
        // socket filter.
        byte[] frame = Packets.IPv4(A, B, 6, Packets.Tcp(1, 2, 0x10, 2000));
        fixture.RunRaw(frame, new TestPacket { Segments = 2, SegmentSize = 1000 });
        fixture.RunRaw(frame, new TestPacket { SegmentSize = 700 }); // a guest's, not counted by the kernel yet: 700 + 700 + 600

        FlowValue flow = Assert.Single(fixture.Drain()).Value;
        Assert.Equal(2UL + 3UL, flow.Packets);
        int headers = (way == "flow_socket" ? 0 : 14) + 40;
        Assert.Equal((ulong)(2000 + 2 * headers + 2000 + 3 * headers), flow.Bytes);
    });

    [LiveTheory, MemberData(nameof(Ways))]
    public Task Leaves_out_only_the_jumbo_header_that_is_not_on_the_wire(string way) => Task.Run(() =>
    {
        using Fixture fixture = new(way);
        // RFC 2675: next header TCP, no more than 8 bytes, option 0xC2 of 4 bytes: 8 + 20 + 2000. The length of the IP header is 0 then.
        byte[] frame = Packets.IPv6(A6, B6, 0, [6, 0, 0xc2, 4, 0, 0, 7, 0xec, .. Packets.Tcp(1, 2, 0x10, 2000)]);
        (frame[18], frame[19]) = (0, 0);
        fixture.RunRaw(frame, new TestPacket { Segments = 2, SegmentSize = 1000 }); // the kernel's mark
        fixture.RunRaw(frame, default); // a jumbogram, as it is sent
        byte[] other = Packets.IPv6(A6, B6, 0, [.. Packets.Extension(6), .. Packets.Tcp(1, 2, 0x10, 2000)]);
        fixture.RunRaw(other, new TestPacket { Segments = 2, SegmentSize = 1000 }); // another header: each segment has it

        (FlowKey key, FlowValue flow) = Assert.Single(fixture.Drain());
        Assert.Equal((1, 2, (byte)6), (key.SourcePort, key.DestinationPort, key.Protocol));
        int headers = (way == "flow_socket" ? 0 : 14) + 60;
        Assert.Equal(5UL, flow.Packets);
        // What a socket filter is shown has no link-layer header here, and without a length in the IP header it is taken to have one.
        int unseen = way == "flow_socket" ? 14 : 0;
        Assert.Equal((ulong)(2000 + 2 * headers + unseen + 2000 + headers + 8 + 2000 + 2 * (headers + 8)), flow.Bytes);
    });

    [LiveFact]
    public Task Remembers_flags_and_who_called() => Task.Run(() =>
    {
        using Fixture fixture = new("flow_egress");
        fixture.RunRaw(Packets.IPv4(A, B, 6, Packets.Tcp(4000, 80, 0x02)), default);
        fixture.RunRaw(Packets.IPv4(A, B, 6, Packets.Tcp(4000, 80, 0x18)), default);
        fixture.RunRaw(Packets.IPv4(B, A, 6, Packets.Tcp(80, 4000, 0x12)), default);

        Dictionary<FlowKey, FlowValue> flows = fixture.Drain();
        Assert.Equal(0x1au | FlowValue.Called, flows.Single(flow => flow.Key.SourcePort == 4000).Value.Flags);
        Assert.Equal(0x12u | FlowValue.Answered, flows.Single(flow => flow.Key.SourcePort == 80).Value.Flags);
    });

    [LiveFact]
    public Task Filters_protocols_in_the_kernel_and_counts_them() => Task.Run(() =>
    {
        using Fixture fixture = new(
            "flow_egress", new NetworkConfiguration { Source = FlowSource.TrafficControl, ExcludeProtocols = new HashSet<byte> { 17 } });
        fixture.RunRaw(Packets.IPv4(A, B, 17, Packets.Udp(1, 2, 100)), default);
        fixture.RunRaw(Packets.IPv4(A, B, 6, Packets.Tcp(1, 2, 2)), default);

        Assert.Equal(6, Assert.Single(fixture.Drain()).Key.Protocol);
        Assert.Equal((1UL, 142UL), (fixture.Programs.Count().FilteredPackets, fixture.Programs.Count().FilteredBytes));
    });

    [LiveFact]
    public Task Sends_what_finds_no_room_through_the_ring_with_the_reason() => Task.Run(() =>
    {
        using Fixture fixture = new("flow_egress", new NetworkConfiguration { Source = FlowSource.TrafficControl }, capacity: 16);
        for (int port = 1; port <= 1000; port++)
        {
            fixture.RunRaw(Packets.IPv4(A, B, 17, Packets.Udp(port, 9, 10)), default);
        }

        long bytes = fixture.Drain().Values.Sum(value => (long)value.Bytes);
        FlowCounters counters = fixture.Programs.Count();
        Assert.True(counters.OverflowPackets >= 900);
        Assert.Equal(0UL, counters.LostPackets);
        Assert.Equal((long)counters.SeenBytes, bytes);
        Assert.Equal((uint)Errno.E2BIG, fixture.Overflow.Reason);
    });

    [LiveFact]
    public Task Counts_what_is_lost_when_nobody_reads_the_ring() => Task.Run(() =>
    {
        using Fixture fixture = new("flow_egress", new NetworkConfiguration { Source = FlowSource.TrafficControl }, capacity: 16);
        byte[] frame = Packets.IPv4(A, B, 17, Packets.Udp(65000, 9, 10));
        for (int port = 1; port <= 64; port++)
        {
            fixture.RunRaw(Packets.IPv4(A, B, 17, Packets.Udp(port, 9, 10)), default);
        }

        fixture.RunRaw(frame, default, repeat: 50_000);

        long bytes = fixture.Drain().Values.Sum(value => (long)value.Bytes);
        FlowCounters counters = fixture.Programs.Count();
        Assert.True(counters.LostPackets > 0);
        Assert.Equal(50_064UL, counters.SeenPackets);
        Assert.Equal((long)counters.SeenBytes, bytes + (long)counters.LostBytes);
    });

    private sealed class Fixture : IDisposable
    {
        private readonly string way;
        private readonly int link;
        private readonly RingBuffer ring;
        private readonly ReferenceDecoder reference = new();
        private readonly Dictionary<Conversation, Amount> expected = [];
        private Amount malformed;
        private Amount other;

        public Fixture(string way, NetworkConfiguration? configuration = null, int? link = null, int capacity = 0)
        {
            this.way = way;
            // In a test run a socket filter sees the packet from the IP header on.
            this.link = link ?? (way == "flow_socket" ? 0 : 14);
            Programs = FlowPrograms.Load(configuration ?? new NetworkConfiguration
            {
                Source = way == "flow_socket" ? FlowSource.SocketFilter : FlowSource.TrafficControl,
                CacheMaxFlows = 100_000,
            }, capacity);
            ring = new RingBuffer(Programs.Overflow);
            Overflow = new OverflowTable((in FlowKey key, in FlowValue value) => Add(key, value));
        }

        public FlowPrograms Programs { get; }

        public OverflowTable Overflow { get; }

        public Dictionary<Conversation, Amount> Flows { get; } = [];

        private Dictionary<FlowKey, FlowValue> Raw { get; } = [];

        public void Run(byte[] frame)
        {
            // The kernel refuses a test run of a frame without a payload, and of an IP packet that is shorter than its header, unless a tag
            // hides it.
            int smallest = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)) switch { 0x0800 => 34, 0x86dd => 54, _ => 15 };
            if (frame.Length < smallest)
            {
                return;
            }

            RunRaw(frame, default);
            Amount amount = new(frame.Length - 14 + this.link, 1);
            if (reference.Decode(frame, out bool malformed) is { } conversation)
            {
                expected[conversation] = expected.GetValueOrDefault(conversation) + amount;
            }
            else if (malformed)
            {
                this.malformed += amount;
            }
            else
            {
                this.other += amount;
            }
        }

        public void RunRaw(byte[] frame, TestPacket packet, int repeat = 1) =>
            ProgramTest.Run(Programs.Program(this.way), frame, packet, repeat, out _);

        public Dictionary<FlowKey, FlowValue> Drain()
        {
            ring.Drain(Overflow, ring.End);
            Programs.Swap();
            Assert.Equal(Read(remove: false), Read(remove: true));
            Overflow.Take((in FlowKey key, in FlowValue value) => Add(key, value));
            return Raw;
        }

        public void AssertSame()
        {
            foreach ((FlowKey key, FlowValue value) in Drain())
            {
                Conversation conversation = new(
                    key.Source.ToIPAddress(), key.SourcePort, key.Destination.ToIPAddress(), key.DestinationPort, key.Protocol);
                Flows[conversation] = Flows.GetValueOrDefault(conversation) + new Amount((long)value.Bytes, (long)value.Packets);
            }

            string[] differences = [.. expected.Keys.Union(Flows.Keys)
                .Where(key => expected.GetValueOrDefault(key) != Flows.GetValueOrDefault(key))
                .Select(key => $"{key}: expected {expected.GetValueOrDefault(key)}, counted {Flows.GetValueOrDefault(key)}")];
            Assert.True(differences.Length == 0, string.Join('\n', differences.Take(10)));
            FlowCounters counters = Programs.Count();
            Assert.Equal(this.malformed, new Amount((long)counters.MalformedBytes, (long)counters.MalformedPackets));
            Assert.Equal(this.other, new Amount((long)counters.OtherBytes, (long)counters.OtherPackets));
        }

        public void Dispose()
        {
            ring.Dispose();
            Programs.Dispose();
        }

        /// <summary>Goes through the map that counted, and notes its flows when it empties it.</summary>
        private long Read(bool remove)
        {
            long flows = 0;
            bool first = true, more = true;
            while (more)
            {
                more = Programs.Read(remove, first, out int count);
                first = false;
                for (int i = 0; i < count && remove; i++)
                {
                    Add(Programs.Exchange.Keys[i], Programs.Exchange.Values[i]);
                }

                flows += count;
            }

            return flows;
        }

        private void Add(FlowKey key, FlowValue value)
        {
            if (Raw.TryGetValue(key, out FlowValue before))
            {
                value.Add(in before);
            }

            Raw[key] = value;
        }
    }
}

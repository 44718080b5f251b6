using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>tcpdump on the host's side of a lab: the ground truth for each flow.</summary>
internal sealed class Capture : IAsyncDisposable
{
    private readonly ChildProcess tcpdump;
    private readonly TempDirectory directory;
    private readonly string file;

    private Capture(ChildProcess tcpdump, TempDirectory directory, string file) =>
        (this.tcpdump, this.directory, this.file) = (tcpdump, directory, file);

    public static async Task<Capture> StartAsync(FlowLab lab, string name = "veth0")
    {
        TempDirectory directory = new();
        string file = Path.Combine(directory.Path, "pcap");
        ChildProcess tcpdump = ChildProcess.Start(
            Tool.Find("ip"), ["netns", "exec", lab.Host, Tool.Find("tcpdump"), "-i", name, "-n", "-U", "--immediate-mode", "-s", "160",
                "-B", "65536", "-Z", "root", "-w", file]);
        Assert.True(
            await Wait.UntilAsync(() => tcpdump.Errors.Contains("listening on", StringComparison.Ordinal), Wait.Hang), tcpdump.Errors);
        return new Capture(tcpdump, directory, file);
    }

    /// <summary>Each frame with its length on the interface, once it is stopped; those that belong to a conversation.</summary>
    public List<(Conversation Conversation, int Length)> Frames { get; } = [];

    /// <summary>Ends it and reads what it saw.</summary>
    public async Task<Dictionary<Conversation, Amount>> StopAsync()
    {
        // What waits in the kernel is not read any more after the signal.
        long size = -1;
        for (long now; (now = new FileInfo(this.file).Length) != size; size = now)
        {
            await Task.Delay(400);
        }

        this.tcpdump.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await this.tcpdump.WaitForExitAsync(Wait.Hang));
        Assert.Contains("0 packets dropped by kernel", this.tcpdump.Errors, StringComparison.Ordinal);
        return Read(await File.ReadAllBytesAsync(this.file));
    }

    public async ValueTask DisposeAsync()
    {
        await this.tcpdump.DisposeAsync();
        this.directory.Dispose();
    }

    private Dictionary<Conversation, Amount> Read(ReadOnlySpan<byte> pcap)
    {
        Dictionary<Conversation, Amount> seen = [];
        ReferenceDecoder decoder = new();
        for (pcap = pcap[24..]; pcap.Length >= 16;)
        {
            int kept = BinaryPrimitives.ReadInt32LittleEndian(pcap[8..]), length = BinaryPrimitives.ReadInt32LittleEndian(pcap[12..]);
            Conversation key = decoder.Decode(pcap.Slice(16, kept), out _) ?? new Conversation(IPAddress.None, 0, IPAddress.None, 0, -1);
            seen[key] = seen.GetValueOrDefault(key) + new Amount(length, 1);
            if (key.Protocol >= 0)
            {
                Frames.Add((key, length));
            }

            pcap = pcap[(16 + kept)..];
        }

        return seen;
    }

    /// <summary>
    /// The lines that differ between two counts. Multicast is left out: the kernel announces its groups whenever it likes.
    /// </summary>
    public static string Differences(IReadOnlyDictionary<Conversation, Amount> truth, IReadOnlyDictionary<Conversation, Amount> counted) =>
        string.Join('\n', truth.Keys.Union(counted.Keys)
            .Where(key => key.Protocol >= 0 && !IsMulticast(key.Destination))
            .Where(key => truth.GetValueOrDefault(key) != counted.GetValueOrDefault(key))
            .Take(10)
            .Select(key => string.Create(
                CultureInfo.InvariantCulture,
                $"{key}: on the wire {truth.GetValueOrDefault(key)}, reported {counted.GetValueOrDefault(key)}")));

    /// <summary>
    /// RFC 5771 and RFC 4291: what interfaces that come up say to their neighbours (IGMP, MLD) comes when it comes, also before the capture
    /// begins.
    /// </summary>
    private static bool IsMulticast(IPAddress address) => address.IsIPv6Multicast
        || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] is >= 224 and < 240);

    /// <summary>Flows put together by conversation.</summary>
    public static Dictionary<Conversation, Amount> Sum(IEnumerable<Flow> flows) => flows
        .GroupBy(flow =>
            new Conversation(flow.SourceAddress, flow.SourcePort, flow.DestinationAddress, flow.DestinationPort, (int)flow.Transport))
        .ToDictionary(group => group.Key, group => new Amount(group.Sum(flow => flow.Bytes), group.Sum(flow => flow.Packets)));
}

using System.Net;
using System.Net.Sockets;
using Beyla.Agent.Kernel;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>
/// Super-frames beyond 64 KiB (IPv6 since 5.19, IPv4 since 6.3). Kernels mark those of IPv6 by a jumbo header of eight bytes that is never
/// on the link, and leave the length of those of IPv4 at zero. What is reported is what the segments take there.
/// </summary>
public sealed class BigTcpTests
{
    private const int Size = 4_000_000, Largest = 185_000, Ethernet = 14, Options = 12;
    private const ushort NewLink = 16, GsoMaxSize = 41, GsoMaxSize4 = 63; // linux/rtnetlink.h, linux/if_link.h

    [LiveTheory("ip", "ethtool", "tcpdump")]
    [InlineData("socket_filter", FlowLab.PeerAddress6, 40)]
    [InlineData("tc", FlowLab.PeerAddress6, 40)]
    [InlineData("tcx", FlowLab.PeerAddress6, 40)]
    [InlineData("socket_filter", FlowLab.PeerAddress, 20)]
    [InlineData("tcx", FlowLab.PeerAddress, 20)]
    public async Task A_super_frame_counts_as_its_segments(string source, string address, int header)
    {
        await using FlowLab lab = await FlowLab.CreateAsync(offload: true);
        await RaiseAsync(lab);
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source));
        await using Capture capture = await Capture.StartAsync(lab);

        await SendAsync(lab, address, 7030);

        await capture.StopAsync();
        await agent.StopAsync();
        int[] sizes = [.. capture.Frames.Where(frame => frame.Conversation.DestinationPort == 7030).Select(frame => frame.Length)];
        Assert.Contains(sizes, size => size > 100_000);
        // On the link each segment has its own headers; all but the last of a super-frame are full.
        int full = 1500 - header - 20 - Options, headers = Ethernet + header + 20 + Options;
        Amount wire = default;
        foreach (int size in sizes)
        {
            int length = size - (header == 40 && size > Ethernet + 40 + 65_535 ? 8 : 0);
            int segments = Math.Max(1, (length - headers + full - 1) / full);
            wire += new Amount(length + (segments - 1) * headers, segments);
        }

        Flow[] flows = [.. agent.Flows.Where(flow => flow.DestinationPort == 7030)];
        Assert.Equal(wire, new Amount(flows.Sum(flow => flow.Bytes), flows.Sum(flow => flow.Packets)));
    }

    [LiveTheory("ip", "ethtool"), InlineData("tc"), InlineData("tcx")]
    public async Task The_interface_counts_the_same_when_the_kernel_cuts_them(string source)
    {
        await using FlowLab lab = await FlowLab.CreateAsync(offload: true);
        await lab.RunAsync(lab.Host, "ethtool", "-K", "veth0", "tso", "off");
        await RaiseAsync(lab);
        await using AgentProcess agent = await AgentProcess.StartAsync(lab.Agent(source, ("BEYLA_NETWORK_DIRECTION", "egress")));
        (_, Amount before) = await lab.CountersAsync();

        await SendAsync(lab, FlowLab.PeerAddress, 7031);
        await SendAsync(lab, FlowLab.PeerAddress6, 7032);

        (_, Amount after) = await lab.CountersAsync();
        await agent.StopAsync();
        Amount reported = new(agent.Counters["traffic bytes"].Produced, agent.Counters["interfaces packets"].Produced);
        Assert.Equal(new Amount(after.Bytes - before.Bytes, after.Packets - before.Packets), reported);
    }

    /// <summary>Lets both interfaces have larger super-frames. Debian's ip(8) does not know the setting for IPv4.</summary>
    private static async Task RaiseAsync(FlowLab lab)
    {
        foreach (string ns in new[] { lab.Host, lab.Peer })
        {
            await FlowLab.RunInside(ns, static () =>
            {
                using NetworkLinks links = new();
                using NetlinkSocket netlink = new();
                int index = links.List().Single(link => link.Name == "veth0").Index;
                NetlinkMessage message = new NetlinkMessage(NewLink, NetlinkMessage.FlagAck).With(new LinkMessage { Index = index })
                    .Attribute(GsoMaxSize, Largest).Attribute(GsoMaxSize4, Largest);
                Assert.Equal(0, netlink.Request(message));
            });
        }
    }

    /// <summary>Much at once, one way.</summary>
    private static async Task SendAsync(FlowLab lab, string address, int port)
    {
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<long> server = Receive();
        await ready.Task;
        await FlowLab.RunInside(lab.Host, () =>
        {
            using Socket socket = new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(IPAddress.Parse(address), port);
            socket.Send(new byte[Size]);
            socket.Shutdown(SocketShutdown.Send);
            _ = socket.Receive(new byte[1]);
        });
        Assert.Equal(Size, await server);

        async Task<long> Receive()
        {
            long total = 0;
            await FlowLab.RunInside(lab.Peer, () =>
            {
                using Socket listener = new(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp)
                {
                    ReceiveBufferSize = Size,
                };
                listener.Bind(new IPEndPoint(IPAddress.Parse(address), port));
                listener.Listen();
                ready.SetResult();
                using Socket connection = listener.Accept();
                byte[] buffer = new byte[1 << 20];
                for (int n; (n = connection.Receive(buffer)) > 0;)
                {
                    total += n;
                }
            });
            return total;
        }
    }

    /// <summary>struct ifinfomsg.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Sequential)]
    private struct LinkMessage
    {
        public byte Family;
        public ushort Type;
        public int Index;
        public uint Flags;
        public uint Change;
    }
}

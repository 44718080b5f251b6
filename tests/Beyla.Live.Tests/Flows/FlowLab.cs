using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Beyla.Live.Tests.Rig;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Live.Tests.Flows;

/// <summary>
/// Two network namespaces of one test joined by a veth pair: the host, on which the agent runs, and its peer. Nothing in them reaches any
/// other network. Frames are not put together or cut by the kernel unless the test asks for it, so that what the interfaces count is what
/// was sent.
/// </summary>
internal sealed partial class FlowLab : IAsyncDisposable
{
    public const string HostAddress = "198.18.9.1", PeerAddress = "198.18.9.2", HostAddress6 = "fd00:9::1", PeerAddress6 = "fd00:9::2";

    private static int count;

    private FlowLab()
    {
        int number = Interlocked.Increment(ref count);
        Host = string.Create(CultureInfo.InvariantCulture, $"beyla-flow-{Environment.ProcessId}-{number}-host");
        Peer = string.Create(CultureInfo.InvariantCulture, $"beyla-flow-{Environment.ProcessId}-{number}-peer");
    }

    /// <summary>Name of the agent's namespace. Its interface is <c>veth0</c>.</summary>
    public string Host { get; }

    /// <summary>Name of the other one. Its interface is <c>veth0</c>.</summary>
    public string Peer { get; }

    public static async Task<FlowLab> CreateAsync(bool offload = false)
    {
        FlowLab lab = new();
        try
        {
            foreach (string name in new[] { lab.Host, lab.Peer })
            {
                await Ip("netns", "add", name);
                // No address configuration in the middle of a count, and what is said of multicast groups said at once (1 ms) and not in
                // the seconds after.
                await lab.RunAsync(
                    name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.router_solicitations=0",
                    "net.ipv6.conf.all.accept_dad=0",
                    "net.ipv6.conf.default.mldv2_unsolicited_report_interval=1");
                await Ip("-n", name, "link", "set", "lo", "up");
            }

            await Ip("-n", lab.Host, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", lab.Peer);
            foreach ((string name, string four, string six, string mac) in new[]
                { (lab.Host, HostAddress, HostAddress6, "02:00:00:00:00:01"), (lab.Peer, PeerAddress, PeerAddress6, "02:00:00:00:00:02") })
            {
                await Ip("-n", name, "link", "set", "veth0", "address", mac);
                if (!offload)
                {
                    await lab.RunAsync(name, "ethtool", "-K", "veth0", "tso", "off", "gso", "off", "gro", "off", "tx", "off");
                }

                await Ip("-n", name, "address", "add", $"{four}/24", "dev", "veth0");
                await Ip("-n", name, "address", "add", $"{six}/64", "dev", "veth0", "nodad");
                await Ip("-n", name, "link", "set", "veth0", "up");
            }

            // No neighbour is looked for in the middle of a count.
            await Ip("-n", lab.Host, "neigh", "add", PeerAddress, "lladdr", "02:00:00:00:00:02", "dev", "veth0", "nud", "permanent");
            await Ip("-n", lab.Host, "neigh", "add", PeerAddress6, "lladdr", "02:00:00:00:00:02", "dev", "veth0", "nud", "permanent");
            await Ip("-n", lab.Peer, "neigh", "add", HostAddress, "lladdr", "02:00:00:00:00:01", "dev", "veth0", "nud", "permanent");
            await Ip("-n", lab.Peer, "neigh", "add", HostAddress6, "lladdr", "02:00:00:00:00:01", "dev", "veth0", "nud", "permanent");
            await lab.SettleAsync();
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program of the host in a namespace.</summary>
    public Task<string> RunAsync(string ns, string tool, params string[] arguments) =>
        Tool.RunAsync("ip", ["netns", "exec", ns, tool, .. arguments]);

    /// <summary>How many of the agents' classifiers (tc-bpf(8)) are on the host's side of the pair, in both directions.</summary>
    public async Task<int> FiltersAsync()
    {
        string text = await RunAsync(Host, "tc", "filter", "show", "dev", "veth0", "ingress")
            + await RunAsync(Host, "tc", "filter", "show", "dev", "veth0", "egress");
        return text.Split('\n').Count(line => line.Contains("beyla_flow:", StringComparison.Ordinal));
    }

    /// <summary>Settings of an agent on the host side whose flows are read as objects.</summary>
    public AgentSettings Agent(string source, params (string Name, string Value)[] variables)
    {
        AgentSettings settings = new AgentSettings { Prefix = [Tool.Find("ip"), "netns", "exec", Host] }
            .With("BEYLA_NETWORK_METRICS", "1").With("BEYLA_TRACE_PRINTER", "json").With("BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT", "300ms");
        settings = source switch
        {
            "socket_filter" => settings,
            "tc" => settings.With("BEYLA_NETWORK_SOURCE", "tc").With("BEYLA_BPF_TC_BACKEND", "tc"),
            _ => settings.With("BEYLA_NETWORK_SOURCE", "tc").With("BEYLA_BPF_TC_BACKEND", source),
        };
        return variables.Aggregate(settings, static (all, variable) => all.With(variable.Name, variable.Value));
    }

    /// <summary>Runs an action with its sockets in a namespace.</summary>
    public static Task RunInside(string ns, Action action) => Task.Factory.StartNew(
        () =>
        {
            Exception? failure = null;
            // A thread of its own: it never comes back to this namespace.
            Thread thread = new(() =>
            {
                using SafeFileHandle file = File.OpenHandle($"/run/netns/{ns}");
                const int CLONE_NEWNET = 0x40000000;
                try
                {
                    if (SetNamespace((int)file.DangerousGetHandle(), CLONE_NEWNET) != 0)
                    {
                        throw new InvalidOperationException($"setns {ns}: {Marshal.GetLastPInvokeErrorMessage()}");
                    }

                    action();
                }
                catch (Exception e)
                {
                    failure = e;
                }
            });
            thread.Start();
            thread.Join();
            if (failure is not null)
            {
                throw new InvalidOperationException($"in namespace {ns}: {failure.Message}", failure);
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>What an interface of the host side counted: received, sent.</summary>
    public async Task<(Amount In, Amount Out)> CountersAsync(string name = "veth0")
    {
        using JsonDocument document = JsonDocument.Parse(await Tool.RunAsync("ip", "-n", Host, "-s", "-j", "link", "show", "dev", name));
        JsonElement stats = document.RootElement[0].GetProperty("stats64");
        return (Read(stats.GetProperty("rx")), Read(stats.GetProperty("tx")));

        static Amount Read(JsonElement side) => new(side.GetProperty("bytes").GetInt64(), side.GetProperty("packets").GetInt64());
    }

    /// <summary>Waits until both sides have their link-local addresses and have told each other of their multicast groups.</summary>
    private async Task SettleAsync()
    {
        long start = Stopwatch.GetTimestamp();
        foreach (string name in new[] { Host, Peer })
        {
            while ((await Tool.RunAsync("ip", "-n", name, "-6", "-o", "address", "show", "dev", "veth0", "scope", "link")).Length == 0)
            {
                if (Stopwatch.GetElapsedTime(start) > Wait.Hang)
                {
                    throw new InvalidOperationException($"veth0 in {name} gets no link-local address");
                }

                await Task.Delay(10);
            }
        }

        (Amount, Amount) last;
        do
        {
            last = await CountersAsync();
            await Task.Delay(30);
        }
        while (await CountersAsync() != last && Stopwatch.GetElapsedTime(start) < Wait.Hang);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in new[] { Host, Peer })
        {
            if (File.Exists($"/run/netns/{name}"))
            {
                await Ip("netns", "delete", name);
            }
        }
    }

    public static Task<string> Ip(params string[] arguments) => Tool.RunAsync("ip", arguments);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int fd, int type);
}

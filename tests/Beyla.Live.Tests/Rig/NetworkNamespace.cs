using System.Globalization;

namespace Beyla.Live.Tests.Rig;

/// <summary>A network namespace of one test, joined to this one by a veth pair and removed at its end.</summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    private static int count;

    private readonly string name;
    private readonly string link;

    private NetworkNamespace(int number)
    {
        this.name = string.Create(CultureInfo.InvariantCulture, $"beyla-live-{Environment.ProcessId}-{number}");
        this.link = string.Create(CultureInfo.InvariantCulture, $"bl{Environment.ProcessId}v{number}");
        // 198.18.0.0/15 is set aside for tests (RFC 2544).
        int net = Environment.ProcessId % 250;
        OutsideAddress = string.Create(CultureInfo.InvariantCulture, $"198.19.{net}.{4 * number + 1}");
        InsideAddress = string.Create(CultureInfo.InvariantCulture, $"198.19.{net}.{4 * number + 2}");
    }

    /// <summary>This side's address of the pair.</summary>
    public string OutsideAddress { get; }

    /// <summary>The namespace's address of the pair.</summary>
    public string InsideAddress { get; }

    /// <summary>A command that runs another inside.</summary>
    public IReadOnlyList<string> Prefix => [Tool.Find("ip"), "netns", "exec", this.name];

    public static async Task<NetworkNamespace> CreateAsync()
    {
        NetworkNamespace created = new(Interlocked.Increment(ref count));
        (string name, string link) = (created.name, created.link);
        await Ip("netns", "add", name);
        try
        {
            await Ip("link", "add", link, "type", "veth", "peer", "name", "inside", "netns", name);
            await Ip("address", "add", $"{created.OutsideAddress}/30", "dev", link);
            await Ip("link", "set", link, "up");
            await Ip("-n", name, "address", "add", $"{created.InsideAddress}/30", "dev", "inside");
            await Ip("-n", name, "link", "set", "inside", "up");
            await Ip("-n", name, "link", "set", "lo", "up");
            return created;
        }
        catch
        {
            await created.DisposeAsync();
            throw;
        }
    }

    /// <summary>Inode of a process's network namespace, as spans carry it.</summary>
    public static long InodeOf(int pid)
    {
        string target = new FileInfo($"/proc/{pid}/ns/net").LinkTarget
            ?? throw new InvalidOperationException($"/proc/{pid}/ns/net is no link.");
        return long.Parse(target.AsSpan("net:[".Length, target.Length - "net:[]".Length), CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync() => await Ip("netns", "delete", this.name); // the pair goes with it

    private static Task<string> Ip(params string[] arguments) => Tool.RunAsync("ip", arguments);
}

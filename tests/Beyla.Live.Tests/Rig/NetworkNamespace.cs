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
        OutsideAddress = Address(number, 1);
        InsideAddress = Address(number, 2);
    }

    /// <summary>This side's address of the pair.</summary>
    public string OutsideAddress { get; }

    /// <summary>The namespace's address of the pair.</summary>
    public string InsideAddress { get; }

    /// <summary>Joins it to another one by a second pair.</summary>
    /// <returns>This one's address of the pair, and the other's.</returns>
    public async Task<(string Own, string Other)> JoinAsync(NetworkNamespace other)
    {
        int number = Interlocked.Increment(ref count);
        string own = Address(number, 1), others = Address(number, 2);
        string near = string.Create(CultureInfo.InvariantCulture, $"to{number}"), far = near + "b";
        await Ip("-n", this.name, "link", "add", near, "type", "veth", "peer", "name", far, "netns", other.name);
        await Ip("-n", this.name, "address", "add", $"{own}/30", "dev", near);
        await Ip("-n", this.name, "link", "set", near, "up");
        await Ip("-n", other.name, "address", "add", $"{others}/30", "dev", far);
        await Ip("-n", other.name, "link", "set", far, "up");
        return (own, others);
    }

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

    // 198.18.0.0/15 is set aside for tests (RFC 2544).
    private static string Address(int number, int side) => string.Create(
        CultureInfo.InvariantCulture, $"198.19.{Environment.ProcessId % 250}.{4 * number + side}");

    private static Task<string> Ip(params string[] arguments) => Tool.RunAsync("ip", arguments);
}

using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// Names of addresses as the host's resolver has them (getnameinfo(3): /etc/hosts, DNS, …). Looked up on a thread of its own: a
/// flow never waits, it shows the name from the first report on after the answer, and an old one until there is a newer. What is remembered
/// and what waits is bounded.
/// </summary>
internal sealed partial class ReverseNames : IDisposable
{
    private readonly int capacity;
    private readonly TimeSpan expiry;
    private readonly Func<Address, string?> resolve;
    private readonly Lock gate = new();
    private readonly Dictionary<Address, (string? Name, long Until)> known = [];
    private readonly BlockingCollection<Address> wanted;
    private readonly Thread resolver;

    /// <param name="capacity">Most names remembered.</param>
    /// <param name="expiry">How long.</param>
    /// <param name="resolve">The resolver; null for the host's.</param>
    internal ReverseNames(int capacity, TimeSpan expiry, Func<Address, string?>? resolve = null)
    {
        this.capacity = Math.Max(1, capacity);
        this.expiry = expiry;
        this.resolve = resolve ?? Ask;
        wanted = new BlockingCollection<Address>(this.capacity);
        resolver = new Thread(Work) { IsBackground = true, Name = "names" };
        resolver.Start();
    }

    /// <summary>The name, or null when it is not known or not known yet.</summary>
    internal string? Find(in Address address)
    {
        var now = Environment.TickCount64;
        string? old;
        lock (gate)
        {
            if (known.TryGetValue(address, out var entry) && entry.Until > now)
            {
                return entry.Name;
            }

            if (known.Count >= capacity && !known.ContainsKey(address) && !MakeRoom(now))
            {
                return null;
            }

            // Asked once.
            known[address] = (entry.Name, now + (long)expiry.TotalMilliseconds);
            old = entry.Name;
        }

        if (!wanted.TryAdd(address))
        {
            lock (gate)
            {
                _ = known.Remove(address);
            }
        }

        return old;
    }

    /// <inheritdoc/>
    public void Dispose() => wanted.CompleteAdding();

    private bool MakeRoom(long now)
    {
        Address oldest = default;
        var until = long.MaxValue;
        foreach (var (address, entry) in known)
        {
            if (entry.Until < until)
            {
                (oldest, until) = (address, entry.Until);
            }
        }

        // A full table of fresh names is not turned over for each new address: that would ask for every flow.
        return until < now + (long)(expiry.TotalMilliseconds / 2) && known.Remove(oldest);
    }

    private void Work()
    {
        foreach (var address in wanted.GetConsumingEnumerable())
        {
            var name = resolve(address);
            lock (gate)
            {
                known[address] = (name, Environment.TickCount64 + (long)expiry.TotalMilliseconds);
            }
        }
    }

    private static unsafe string? Ask(Address address)
    {
        const int nameRequired = 8, longest = 1025; // NI_NAMEREQD, NI_MAXHOST
        var sockaddr = stackalloc byte[28];
        new Span<byte>(sockaddr, 28).Clear();
        var v4 = address.IsIPv4;
        *(ushort*)sockaddr = (ushort)(v4 ? 2 : 10);
        (v4 ? address.Bytes[12..] : address.Bytes).CopyTo(new Span<byte>(sockaddr + (v4 ? 4 : 8), 16));
        var host = stackalloc byte[longest];
        return getnameinfo(sockaddr, v4 ? 16 : 28, host, longest, null, 0, nameRequired) == 0
            ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(host))
            : null;
    }

    [LibraryImport("libc")]
    private static unsafe partial int getnameinfo(
        byte* address, int length, byte* host, int hostLength, byte* service, int serviceLength, int flags);
}

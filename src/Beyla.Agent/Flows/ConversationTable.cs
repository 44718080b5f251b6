using System.Runtime.InteropServices;

namespace Beyla.Agent.Flows;

/// <summary>
/// What must be remembered of a conversation from one report to the next: who called, and which interface came first. A
/// conversation is found by a keyed 64-bit hash of its two ends, so an entry is small and nobody outside can make two of
/// them meet. Grows to a limit, then the entry that was not used for the longest time in its group makes room. One thread.
/// </summary>
internal sealed partial class ConversationTable
{
    private const int Ways = 8;

    private readonly int limit;
    private readonly uint timeToLive;
    private readonly ulong seed0, seed1, seed2;
    private Known[] entries;

    /// <param name="limit">Most conversations.</param>
    /// <param name="timeToLive">How long the first interface keeps a flow that it does not see.</param>
    internal ConversationTable(int limit, TimeSpan timeToLive)
        : this(limit, timeToLive, RandomSeeds())
    {
    }

    /// <param name="limit">Most conversations.</param>
    /// <param name="timeToLive">How long the first interface keeps a flow that it does not see.</param>
    /// <param name="seeds">The key of the hash: three numbers.</param>
    internal ConversationTable(int limit, TimeSpan timeToLive, ReadOnlySpan<ulong> seeds)
    {
        this.limit = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(limit, 1024));
        this.timeToLive = (uint)Math.Max(1, timeToLive.TotalMilliseconds / 100);
        (seed0, seed1, seed2) = (seeds[0], seeds[1], seeds[2]);
        entries = new Known[1024];
    }

    /// <summary>Conversations that made room for others before their time.</summary>
    internal long Evicted { get; private set; }

    /// <summary>Sees a flow before anything is reported: its flags tell who called, its time whether its interface came first.</summary>
    internal void Prepare(in FlowKey key, in FlowValue value)
    {
        ref var entry = ref Find(in key, Now(value.Last), out var reversed);
        if ((value.Flags & FlowValue.Called) != 0)
        {
            entry.Caller = reversed ? Caller.Higher : Caller.Lower;
        }
        else if ((value.Flags & FlowValue.Answered) != 0 && entry.Caller == Caller.Unknown)
        {
            entry.Caller = reversed ? Caller.Lower : Caller.Higher;
        }

        ref var first = ref reversed ? ref entry.Backward : ref entry.Forward;
        var now = Now(value.Last);
        var link = Link(in key);
        var began = (uint)(value.First >> 10);
        if (first.Link == link)
        {
            first.First = IsBefore(began, first.First) ? began : first.First;
            first.Seen = Math.Max(first.Seen, now);
        }
        else if (first.Link == 0 || now > first.Seen + timeToLive || IsBefore(began, first.First))
        {
            first = new Sight { Link = link, First = began, Seen = now };
        }
    }

    /// <summary>What is known of a flow.</summary>
    /// <param name="key">The flow.</param>
    /// <param name="value">What was counted for it.</param>
    /// <param name="isFirst">Whether its interface and direction is the one that reports it.</param>
    /// <returns>Whether it comes from the side that called, as far as a SYN told.</returns>
    internal FlowDirection Look(in FlowKey key, in FlowValue value, out bool isFirst)
    {
        ref var entry = ref Find(in key, Now(value.Last), out var reversed);
        ref var first = ref reversed ? ref entry.Backward : ref entry.Forward;
        // Hosts that have no address yet all send from the same one: their packets are never the same flow.
        isFirst = key.Source == default || first.Link == 0 || first.Link == Link(in key);
        return entry.Caller == Caller.Unknown
            ? FlowDirection.Unknown
            : (entry.Caller == Caller.Higher) == reversed ? FlowDirection.Request : FlowDirection.Response;
    }

    private static uint Link(in FlowKey key) => (key.Interface << 1) | (uint)key.Direction;

    private static bool IsBefore(uint a, uint b) => (int)(a - b) < 0;

    private static uint Now(ulong nanoseconds) => (uint)(nanoseconds / 100_000_000);

    private ref Known Find(in FlowKey key, uint now, out bool reversed)
    {
        var hash = Hash(in key, out reversed);
        while (true)
        {
            var group = (int)(hash % (ulong)(entries.Length / Ways)) * Ways;
            var oldest = group;
            for (var i = group; i < group + Ways; i++)
            {
                ref var entry = ref entries[i];
                if (entry.Hash == hash)
                {
                    entry.Seen = Math.Max(entry.Seen, now);
                    return ref entry;
                }

                if (entry.Hash == 0 || (entries[oldest].Hash != 0 && entry.Seen < entries[oldest].Seen))
                {
                    oldest = i;
                }
            }

            var used = entries[oldest].Hash != 0 && entries[oldest].Seen + timeToLive > now;
            if (used && entries.Length < limit)
            {
                Grow();
                continue;
            }

            Evicted += used ? 1 : 0;
            entries[oldest] = new Known { Hash = hash, Seen = now };
            return ref entries[oldest];
        }
    }

    private void Grow()
    {
        var old = entries;
        entries = new Known[old.Length * 2];
        foreach (ref var entry in old.AsSpan())
        {
            if (entry.Hash == 0)
            {
                continue;
            }

            // Twice as many groups: those of one old group spread over two new ones, so there is always room.
            var group = (int)(entry.Hash % (ulong)(entries.Length / Ways)) * Ways;
            while (entries[group].Hash != 0)
            {
                group++;
            }

            entries[group] = entry;
        }
    }

    /// <summary>The same for both directions; never 0.</summary>
    private ulong Hash(in FlowKey key, out bool reversed)
    {
        var source = MemoryMarshal.Cast<byte, ulong>(key.Source.Bytes);
        var destination = MemoryMarshal.Cast<byte, ulong>(key.Destination.Bytes);
        var order = key.Source.Bytes.SequenceCompareTo(key.Destination.Bytes);
        reversed = order > 0 || (order == 0 && key.SourcePort > key.DestinationPort);
        var low = reversed ? destination : source;
        var high = reversed ? source : destination;
        var ports = reversed ? ((uint)key.DestinationPort << 16) | key.SourcePort : ((uint)key.SourcePort << 16) | key.DestinationPort;
        var hash = Mix(low[0] ^ seed0, low[1] ^ seed1);
        hash = Mix(hash ^ high[0], high[1] ^ seed2);
        hash = Spread(Mix(hash ^ (((ulong)key.Protocol << 32) | ports), seed0 ^ seed2));
        return hash == 0 ? 1 : hash;
    }

    // Groups are chosen by the low bits. Those of a product hardly change with the upper port where the factor is an unlucky one, so that
    // conversations of ports in a row would share few groups. Every bit changes half of all others here (MurmurHash3, fmix64).
    private static ulong Spread(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCD;
        hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53;
        return hash ^ (hash >> 33);
    }

    private static ulong Mix(ulong a, ulong b)
    {
        // An odd factor: the lower half of the product is another one for each a.
        var high = Math.BigMul(a, b | 1, out var low);
        return high ^ low ^ a;
    }

    // getrandom(2): .NET's own generator would load OpenSSL into the agent.
    private static unsafe ulong[] RandomSeeds()
    {
        var seeds = new ulong[3];
        fixed (ulong* memory = seeds)
        {
            if (getrandom(memory, 24, 0) != 24)
            {
                throw new InvalidOperationException("getrandom gave too few bytes");
            }
        }

        return seeds;
    }

    [LibraryImport("libc")]
    private static unsafe partial nint getrandom(void* buffer, nuint length, uint flags);

    /// <summary>Which end called: the one with the lower address and port, or the other.</summary>
    private enum Caller : byte
    {
        Unknown,
        Lower,
        Higher,
    }

    /// <summary>The interface that came first in one direction of the conversation.</summary>
    private struct Sight
    {
        /// <summary>First packet, in units of 1024 ns; goes round in 73 minutes, which is longer than any time to live.</summary>
        public uint First;

        /// <summary>Interface and direction; 0 when there is none yet.</summary>
        public uint Link;
        public uint Seen;
    }

    private struct Known
    {
        public ulong Hash;
        public Sight Forward;
        public Sight Backward;
        public uint Seen;
        public Caller Caller;
    }
}

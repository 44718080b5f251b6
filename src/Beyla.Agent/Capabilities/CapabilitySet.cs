using System.Numerics;

namespace Beyla.Agent.Capabilities;

/// <summary>A set of capabilities, one bit each, as the kernel keeps them.</summary>
public readonly struct CapabilitySet : IEquatable<CapabilitySet>
{
    /// <summary>Makes a set of the kernel's bits.</summary>
    public CapabilitySet(ulong bits) => Bits = bits;

    /// <summary>The empty set.</summary>
    public static CapabilitySet None => default;

    /// <summary>Bit n is capability n.</summary>
    public ulong Bits { get; }

    /// <summary>Whether it has no member.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>How many members it has.</summary>
    public int Count => BitOperations.PopCount(Bits);

    /// <summary>Makes a set of these.</summary>
    public static CapabilitySet Of(params ReadOnlySpan<Capability> capabilities)
    {
        ulong bits = 0;
        foreach (var capability in capabilities)
        {
            bits |= 1UL << (int)capability;
        }

        return new CapabilitySet(bits);
    }

    /// <summary>What is in either set; as <see cref="Union"/>.</summary>
    public static CapabilitySet operator |(CapabilitySet left, CapabilitySet right) => left.Union(right);

    /// <summary>What is in both sets; as <see cref="Intersect"/>.</summary>
    public static CapabilitySet operator &(CapabilitySet left, CapabilitySet right) => left.Intersect(right);

    /// <summary>Whether both have the same members.</summary>
    public static bool operator ==(CapabilitySet left, CapabilitySet right) => left.Equals(right);

    /// <summary>Whether a member is in one of them alone.</summary>
    public static bool operator !=(CapabilitySet left, CapabilitySet right) => !left.Equals(right);

    /// <summary>What is here or in the other set.</summary>
    public CapabilitySet Union(CapabilitySet other) => new(Bits | other.Bits);

    /// <summary>What is here and in the other set too.</summary>
    public CapabilitySet Intersect(CapabilitySet other) => new(Bits & other.Bits);

    /// <summary>What is here and not in the other set.</summary>
    public CapabilitySet Except(CapabilitySet other) => new(Bits & ~other.Bits);

    /// <summary>This set and one more member.</summary>
    public CapabilitySet With(Capability capability) => new(Bits | (1UL << (int)capability));

    /// <summary>Whether it is a member.</summary>
    public bool Contains(Capability capability) => (Bits & (1UL << (int)capability)) != 0;

    /// <summary>Whether every member of the other set is here too.</summary>
    public bool ContainsAll(CapabilitySet other) => (other.Bits & ~Bits) == 0;

    /// <summary>The members in ascending order of the kernel's numbers.</summary>
    public Enumerator GetEnumerator() => new(Bits);

    /// <summary>The members in ascending order, for LINQ.</summary>
    public IEnumerable<Capability> Members()
    {
        for (var rest = Bits; rest != 0; rest &= rest - 1)
        {
            yield return (Capability)BitOperations.TrailingZeroCount(rest);
        }
    }

    /// <inheritdoc/>
    public bool Equals(CapabilitySet other) => Bits == other.Bits;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CapabilitySet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Bits.GetHashCode();

    /// <summary>The names in ascending order of the kernel's numbers, <c>CAP_NET_RAW, CAP_BPF</c>; <c>none</c> for the empty set.</summary>
    public override string ToString() => IsEmpty ? "none" : string.Join(", ", Members().Select(member => member.Name()));

    /// <summary>The form that setcap(8) takes, without flags: <c>cap_net_raw,cap_bpf</c>.</summary>
    public string ToSetcapText() => string.Join(',', Members().Select(member => member.Name().ToLowerInvariant()));

    /// <summary>Walks the members without allocation.</summary>
    public struct Enumerator(ulong bits)
    {
        private ulong rest = bits;

        /// <summary>The member at which the walk is; defined after <see cref="MoveNext"/> returned true.</summary>
        public Capability Current { get; private set; }

        /// <summary>Goes to the next member in ascending order; false when there is none.</summary>
        public bool MoveNext()
        {
            if (rest == 0)
            {
                return false;
            }

            Current = (Capability)BitOperations.TrailingZeroCount(rest);
            rest &= rest - 1;
            return true;
        }
    }
}

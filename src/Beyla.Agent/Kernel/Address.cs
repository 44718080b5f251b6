using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Beyla.Agent.Kernel;

/// <summary>An IPv6 address, or an IPv4 address mapped to ::ffff:0:0/96 (RFC 4291 section 2.5.5.2), as 16 bytes in network order.</summary>
[InlineArray(16)]
public struct Address : IEquatable<Address>
{
    private byte first;

    /// <summary>Whether this is an IPv4 address in its mapped form.</summary>
    public readonly bool IsIPv4 => Bytes[..12].SequenceEqual((ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

    /// <summary>The 16 bytes.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => MemoryMarshal.CreateReadOnlySpan(in first, 16);

    /// <summary>The address as .NET has it, IPv4 unmapped. Allocates.</summary>
    public readonly IPAddress ToIPAddress() => new(IsIPv4 ? Bytes[12..] : Bytes);

    /// <summary>An address from .NET's form.</summary>
    public static Address From(IPAddress address)
    {
        Address result = default;
        _ = address.MapToIPv6().TryWriteBytes(MemoryMarshal.CreateSpan(ref result.first, 16), out _);
        return result;
    }

    /// <summary>Writes the text form (RFC 5952) as UTF-8 without allocating; false when <paramref name="destination"/> is too small (46 bytes always suffice).</summary>
    public readonly bool TryFormat(Span<byte> destination, out int written)
    {
        if (IsIPv4)
        {
            var b = Bytes[12..];
            return System.Text.Unicode.Utf8.TryWrite(destination, $"{b[0]}.{b[1]}.{b[2]}.{b[3]}", out written);
        }

        return ToIPAddress().TryFormat(destination, out written);
    }

    public readonly bool Equals(Address other) => Bytes.SequenceEqual(other.Bytes);

    public static bool operator ==(Address left, Address right) => left.Equals(right);

    public static bool operator !=(Address left, Address right) => !left.Equals(right);

    public override readonly bool Equals(object? obj) => obj is Address other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(MemoryMarshal.Read<ulong>(Bytes), MemoryMarshal.Read<ulong>(Bytes[8..]));

    public override readonly string ToString() => ToIPAddress().ToString();
}

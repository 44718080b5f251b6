using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>An IPv6 address, or an IPv4 address mapped to ::ffff:0:0/96 (RFC 4291 section 2.5.5.2), as 16 bytes in network order.</summary>
[InlineArray(16)]
public struct Address : IEquatable<Address>
{
    private byte first;

    /// <summary>Whether this is an IPv4 address in its mapped form.</summary>
    public readonly bool IsIPv4 =>
        MemoryMarshal.Read<ulong>(Bytes) == 0 && System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(Bytes[8..]) == 0xffff;

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

    /// <summary>
    /// Writes the text form (RFC 5952) as UTF-8 without allocating; false when <paramref name="destination"/> is too small (46 bytes
    /// always suffice).
    /// </summary>
    public readonly bool TryFormat(Span<byte> destination, out int written)
    {
        return IsIPv4 ? TryFormatIPv4(Bytes[12..], destination, out written) : TryFormatIPv6(Bytes, destination, out written);
    }

    /// <summary>The same, in memory of the caller; empty where that is too small.</summary>
    public readonly ReadOnlySpan<byte> Format(Span<byte> room) => TryFormat(room, out var written) ? room[..written] : default;

    private static bool TryFormatIPv4(ReadOnlySpan<byte> bytes, Span<byte> destination, out int written)
    {
        written = 0;
        if (destination.Length < 15)
        {
            return false;
        }

        foreach (var b in bytes)
        {
            if (written > 0)
            {
                destination[written++] = (byte)'.';
            }

            if (b >= 100)
            {
                destination[written++] = (byte)('0' + (b / 100));
            }

            if (b >= 10)
            {
                destination[written++] = (byte)('0' + (b / 10 % 10));
            }

            destination[written++] = (byte)('0' + (b % 10));
        }

        return true;
    }

    /// <summary>RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as two colons.</summary>
    private static bool TryFormatIPv6(ReadOnlySpan<byte> bytes, Span<byte> destination, out int written)
    {
        var (gap, gapLength) = (-1, 1);
        for (var i = 0; i < 8; i++)
        {
            var run = 0;
            while (i + run < 8 && Group(bytes, i + run) == 0)
            {
                run++;
            }

            if (run > gapLength)
            {
                (gap, gapLength) = (i, run);
            }

            i += run;
        }

        written = 0;
        for (var i = 0; i < 8; i++)
        {
            if (destination.Length - written < 6) // a colon or two, a group
            {
                return false;
            }

            if (i == gap)
            {
                destination[written++] = (byte)':';
                i += gapLength - 1;
                if (i == 7)
                {
                    destination[written++] = (byte)':';
                }

                continue;
            }

            if (i > 0)
            {
                destination[written++] = (byte)':';
            }

            _ = System.Buffers.Text.Utf8Formatter.TryFormat(Group(bytes, i), destination[written..], out var digits, new('x'));
            written += digits;
        }

        return true;
    }

    private static ushort Group(ReadOnlySpan<byte> bytes, int index) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * index)..]);

    /// <inheritdoc/>
    public readonly bool Equals(Address other) => Bytes.SequenceEqual(other.Bytes);

    /// <summary>Whether the 16 bytes are the same.</summary>
    public static bool operator ==(Address left, Address right) => left.Equals(right);

    /// <summary>Whether the 16 bytes differ.</summary>
    public static bool operator !=(Address left, Address right) => !left.Equals(right);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Address other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(MemoryMarshal.Read<ulong>(Bytes), MemoryMarshal.Read<ulong>(Bytes[8..]));

    /// <summary>The text form: dotted for IPv4, RFC 5952 for IPv6.</summary>
    public override readonly string ToString() => ToIPAddress().ToString();
}

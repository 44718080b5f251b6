using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Beyla.Agent.Kernel;

/// <summary>Puts a route netlink request together (netlink(7), rtnetlink(7)): header, one fixed part, attributes.</summary>
internal sealed class NetlinkMessage
{
    /// <summary>Bytes of struct nlmsghdr and of struct rtattr (linux/netlink.h, linux/rtnetlink.h).</summary>
    internal const int HeaderSize = 16, AttributeHeaderSize = 4;

    /// <summary>NLM_F_REQUEST and others (linux/netlink.h).</summary>
    internal const ushort FlagRequest = 1, FlagAck = 4, FlagDump = 0x300, FlagExclusive = 0x200, FlagCreate = 0x400;

    private readonly byte[] buffer = new byte[1024];

    /// <summary>Begins a request of that type (RTM_…); <see cref="FlagRequest"/> is added to the flags.</summary>
    internal NetlinkMessage(ushort type, ushort flags)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(6), (ushort)(flags | FlagRequest));
        Length = HeaderSize;
    }

    /// <summary>Bytes that are written, header included.</summary>
    internal int Length { get; private set; }

    /// <summary>The message with its length and number filled in.</summary>
    internal Span<byte> Finish(uint sequence)
    {
        BinaryPrimitives.WriteInt32LittleEndian(buffer, Length);
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(8), sequence);
        return buffer.AsSpan(0, Length);
    }

    /// <summary>Appends the fixed part.</summary>
    internal NetlinkMessage With<T>(in T part)
        where T : unmanaged
    {
        MemoryMarshal.Write(buffer.AsSpan(Length), in part);
        Length += Align(System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        return this;
    }

    /// <summary>Appends a 32-bit number.</summary>
    internal NetlinkMessage Attribute(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Attribute(type, bytes);
    }

    /// <summary>Appends a text as UTF-8 with a terminating zero.</summary>
    internal NetlinkMessage Attribute(ushort type, string value) => Attribute(type, Encoding.UTF8.GetBytes(value + "\0"));

    /// <summary>Appends bytes as they are.</summary>
    internal NetlinkMessage Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        var start = Begin(type);
        value.CopyTo(buffer.AsSpan(Length));
        Length += value.Length;
        End(start);
        return this;
    }

    /// <summary>Starts an attribute that holds attributes.</summary>
    internal int Begin(ushort type)
    {
        var start = Length;
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(start + 2), type);
        Length += AttributeHeaderSize;
        return start;
    }

    /// <summary>Ends the attribute that began at <paramref name="start"/> (<see cref="Begin"/>): fills in its length.</summary>
    internal void End(int start)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(start), (ushort)(Length - start));
        Length = Align(Length);
    }

    /// <summary>The value of the first attribute of that type, empty when there is none.</summary>
    internal static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> attributes, ushort type)
    {
        const ushort typeMask = 0x3fff;
        while (attributes.Length >= AttributeHeaderSize)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            if (length < AttributeHeaderSize || length > attributes.Length)
            {
                break;
            }

            if ((BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & typeMask) == type)
            {
                return attributes[AttributeHeaderSize..length];
            }

            attributes = attributes[Math.Min(Align(length), attributes.Length)..];
        }

        return default;
    }

    /// <summary>A string attribute without its terminating zero.</summary>
    internal static string FindText(ReadOnlySpan<byte> attributes, ushort type)
    {
        var value = Find(attributes, type);
        var end = value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? value : value[..end]);
    }

    /// <summary>Up to the next multiple of four bytes, as parts of a message are aligned.</summary>
    internal static int Align(int length) => (length + 3) & ~3;
}

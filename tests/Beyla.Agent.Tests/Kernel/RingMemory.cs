using System.Buffers.Binary;
using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// Memory that is laid out as kernel/bpf/ringbuf.c lays out a BPF_MAP_TYPE_RINGBUF: a page that begins with the consumer position, a page that begins
/// with the producer position, the data. A record is a header of 8 bytes (length with the flags below in 32 bits, page offset in 32 bits) and its bytes,
/// rounded up to 8. This plays the kernel's part. The kernel sees the data twice in a row; here a record that wraps is written in two parts.
/// </summary>
internal sealed unsafe class RingMemory : IDisposable
{
    /// <summary>include/uapi/linux/bpf.h: BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT, BPF_RINGBUF_HDR_SZ.</summary>
    public const uint Busy = 1u << 31, Discard = 1u << 30, HeaderSize = 8;

    private readonly MemoryFile file;
    private readonly byte* memory;
    private readonly int page = Environment.SystemPageSize;

    public RingMemory(int? size = null)
    {
        Size = size ?? page;
        file = new MemoryFile((2 * page) + Size);
        memory = file.Bytes;
    }

    public int Descriptor => file.Descriptor;

    public int Size { get; }

    /// <summary>What the reader has given back.</summary>
    public ref ulong Consumer => ref *(ulong*)memory;

    /// <summary>Where the next record begins.</summary>
    public ref ulong Producer => ref *(ulong*)(memory + page);

    /// <summary>Lets the ring begin elsewhere than at 0, as one does that was in use.</summary>
    public RingMemory At(ulong position)
    {
        (Consumer, Producer) = (position, position);
        return this;
    }

    /// <summary>Writes a record and moves the producer position; returns where its header is.</summary>
    /// <param name="bytes">The record.</param>
    /// <param name="flags"><see cref="Busy"/>, <see cref="Discard"/>.</param>
    public ulong Add(ReadOnlySpan<byte> bytes, uint flags = 0)
    {
        var start = Producer;
        Header(start, (uint)bytes.Length | flags);
        for (var i = 0; i < bytes.Length; i++)
        {
            Data(start + HeaderSize + (ulong)i) = bytes[i];
        }

        Producer = start + ((HeaderSize + (ulong)bytes.Length + 7) & ~7UL);
        return start;
    }

    /// <summary>Writes a header; bpf_ringbuf_submit() takes the busy flag out of it.</summary>
    public void Header(ulong at, uint header)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, header);
        for (var i = 0; i < bytes.Length; i++)
        {
            Data(at + (ulong)i) = bytes[i];
        }
    }

    public void Dispose() => file.Dispose();

    private ref byte Data(ulong position) => ref memory[(2 * page) + (int)(position & (ulong)(Size - 1))];
}

using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>Receives the records of a ring buffer, in place: the bytes are valid only during the call.</summary>
public interface IRingSink
{
    /// <param name="record">One record as the kernel program wrote it.</param>
    void OnRecord(ReadOnlySpan<byte> record);

    /// <summary>Records follow, one after the other on this thread.</summary>
    void BeginBatch()
    {
    }

    /// <summary>No more records for now. Called after <see cref="BeginBatch"/> whatever happened.</summary>
    void EndBatch()
    {
    }
}

/// <summary>
/// Reads a BPF_MAP_TYPE_RINGBUF in place from mapped memory (kernel/bpf/ringbuf.c, Documentation/bpf/ringbuf.rst): consumer position in the
/// first page, producer position in the second, then the data. The kernel would map the data twice in a row so that no record wraps, and
/// count both as resident memory; one copy is mapped here, and the one record in a round that wraps is put together. One reader thread.
/// </summary>
public sealed unsafe partial class RingBuffer : IDisposable
{
    private const uint Busy = 1u << 31, Discarded = 1u << 30, LengthMask = Discarded - 1, HeaderSize = 8;
    private const int ReleaseEvery = 256 * 1024;

    private readonly nuint pageSize = (nuint)Environment.SystemPageSize;
    private readonly ulong size;
    private readonly ulong* consumer;
    private readonly ulong* producer;
    private readonly byte* data;
    private byte[] wrapped = new byte[16 * 1024];
    private ulong position;

    /// <param name="map">The loaded ring buffer map.</param>
    public RingBuffer(BpfMap map)
        : this(map.FileDescriptor, map.MaxEntries)
    {
    }

    /// <param name="descriptor">What to map: a ring buffer map, or memory that is laid out like one.</param>
    /// <param name="size">Bytes of its data: a power of two and a multiple of the page size.</param>
    public RingBuffer(int descriptor, ulong size)
    {
        FileDescriptor = descriptor;
        this.size = size;
        consumer = (ulong*)Map(pageSize, SharedMemory.Read | SharedMemory.Write, 0);
        producer = (ulong*)Map(pageSize + (nuint)size, SharedMemory.Read, (nint)pageSize);
        data = (byte*)producer + pageSize;
        position = Volatile.Read(ref *consumer);
    }

    /// <summary>For epoll; use edge triggering, level triggering defeats BPF_RB_NO_WAKEUP.</summary>
    public int FileDescriptor { get; }

    /// <summary>Bytes that wait to be read.</summary>
    public long Backlog => (long)(Volatile.Read(ref *producer) - position);

    /// <summary>Where the records end at this moment; for <see cref="Drain"/>.</summary>
    public ulong End => Volatile.Read(ref *producer);

    /// <summary>Hands over every complete record before <paramref name="end"/> and gives their space back.</summary>
    /// <returns>The number of records.</returns>
    /// <exception cref="InvalidDataException">A record is longer than what was written: the memory is not laid out as
    /// a ring. Nothing past it can be read.</exception>
    public int Drain<TSink>(TSink sink, ulong end)
        where TSink : IRingSink
    {
        var count = 0;
        if (position < end)
        {
            sink.BeginBatch();
            try
            {
                count = Read(sink, end);
            }
            finally
            {
                sink.EndBatch();
            }
        }

        Volatile.Write(ref *consumer, position);
        // The release must be visible before the producer is read again, or a wake-up could be missed.
        Interlocked.MemoryBarrier();
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SharedMemory.Unmap(consumer, pageSize);
        SharedMemory.Unmap(producer, pageSize + (nuint)size);
    }

    private int Read<TSink>(TSink sink, ulong end)
        where TSink : IRingSink
    {
        var count = 0;
        var released = position;
        while (position < end)
        {
            var record = data + (position & (size - 1));
            var header = Volatile.Read(ref *(uint*)record);
            if ((header & Busy) != 0)
            {
                break;
            }

            var length = header & LengthMask;
            var step = (length + HeaderSize + 7) & ~7u;
            // The kernel moves the producer position past the whole record before it can be seen. Reading on would leave the mapping.
            if (step > end - position)
            {
                throw new InvalidDataException(
                    $"ring buffer: the record at position {position} has {length} bytes, but only {end - position} were written "
                    + $"(the ring has {size}); restart the agent, and if it happens again report the kernel's version");
            }

            position += step;
            if ((header & Discarded) == 0)
            {
                count++;
                var bytes = record + HeaderSize;
                sink.OnRecord(bytes + length <= data + size ? new ReadOnlySpan<byte>(bytes, (int)length) : Whole(bytes, (int)length));
            }

            if (position - released >= ReleaseEvery)
            {
                Volatile.Write(ref *consumer, position);
                released = position;
            }
        }

        return count;
    }

    private ReadOnlySpan<byte> Whole(byte* record, int length)
    {
        var start = record == data + size ? data : record;
        var before = (int)Math.Min((ulong)length, (ulong)(data + size - start));
        if (before == length)
        {
            return new ReadOnlySpan<byte>(start, length);
        }

        if (wrapped.Length < length)
        {
            wrapped = new byte[length];
        }

        new ReadOnlySpan<byte>(start, before).CopyTo(wrapped);
        new ReadOnlySpan<byte>(data, length - before).CopyTo(wrapped.AsSpan(before));
        return wrapped.AsSpan(0, length);
    }

    private void* Map(nuint length, int protection, nint offset)
    {
        var memory = SharedMemory.Map(FileDescriptor, offset, length, protection);
        return memory == null ? throw new KernelException("map ring buffer", Marshal.GetLastPInvokeError()) : memory;
    }
}

using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// Reads or empties a hash map with few system calls (BPF_MAP_LOOKUP_BATCH and …_AND_DELETE_BATCH). Not for a map
/// that programs still write to. The kernel writes right to the memory that is given. One thread.
/// </summary>
/// <typeparam name="TKey">The map's key, exactly as in the program.</typeparam>
/// <typeparam name="TValue">The map's value, exactly as in the program.</typeparam>
internal sealed unsafe class BpfMapBatch<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private readonly TKey* keys;
    private readonly TValue* values;
    private readonly int size;

    /// <param name="keys">Gets the keys.</param>
    /// <param name="values">Gets the values.</param>
    /// <param name="size">Room for so many entries, the most per system call; more than any bucket of the map holds.</param>
    internal BpfMapBatch(TKey* keys, TValue* values, int size)
    {
        this.keys = keys;
        this.values = values;
        this.size = size;
    }

    /// <summary>Entries of the last <see cref="Next"/>.</summary>
    internal int Count { get; private set; }

    /// <summary>Reads the next entries.</summary>
    /// <param name="map">A hash map.</param>
    /// <param name="remove">Takes them out of the map as well.</param>
    /// <param name="position">As the last call left it.</param>
    /// <param name="first">Whether this is the first call.</param>
    /// <returns>False when the map has no more; the last entries are still to be read.</returns>
    internal bool Next(BpfMap map, bool remove, ref uint position, bool first)
    {
        var count = (uint)size;
        uint next;
        var current = position;
        var from = first ? null : &current;
        var result = remove
            ? Libbpf.bpf_map_lookup_and_delete_batch(map.FileDescriptor, from, &next, keys, values, &count, null)
            : Libbpf.bpf_map_lookup_batch(map.FileDescriptor, from, &next, keys, values, &count, null);
        var more = Take(result, count, remove);
        position = next;
        return more;
    }

    /// <summary>Judges what the system call gave back. ENOENT means that the map ends here, and still comes with entries.</summary>
    /// <param name="result">0 or a negative errno.</param>
    /// <param name="count">Entries that the kernel says it wrote.</param>
    /// <param name="remove">As for <see cref="Next"/>.</param>
    internal bool Take(int result, uint count, bool remove)
    {
        if (result is < 0 and not -Errno.ENOENT)
        {
            throw new KernelException(remove ? "empty a map" : "read a map", -result);
        }

        Count = (int)count;
        return result >= 0;
    }
}

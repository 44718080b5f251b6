using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>A map of a <see cref="BpfObject"/>; lives as long as that object.</summary>
public sealed unsafe class BpfMap
{
    // For counters of all processors: those who count do it again and again.
    [ThreadStatic]
    private static ulong[]? counted;

    private readonly BpfObject owner;
    private readonly string name;

    /// <param name="owner">Keeps the pointer valid.</param>
    /// <param name="pointer">libbpf's struct bpf_map.</param>
    /// <param name="name">For messages of errors.</param>
    internal BpfMap(BpfObject owner, nint pointer, string name)
    {
        this.owner = owner;
        this.name = name;
        Pointer = pointer;
    }

    /// <summary>libbpf's struct bpf_map.</summary>
    internal nint Pointer { get; }

    /// <summary>The file descriptor, valid after the object is loaded.</summary>
    public int FileDescriptor => Libbpf.bpf_map__fd(Pointer);

    /// <summary>The number of entries that the map can hold; for a ring buffer, its bytes.</summary>
    public uint MaxEntries
    {
        get => Libbpf.bpf_map__max_entries(Pointer);
        set => Check("set the size of", Libbpf.bpf_map__set_max_entries(Pointer, value));
    }

    /// <summary>The size of one value in bytes.</summary>
    public uint ValueSize => Libbpf.bpf_map__value_size(Pointer);

    /// <summary>Makes this map be another object's map; before the object is loaded.</summary>
    public void ShareFrom(BpfMap other) => Check("share", Libbpf.bpf_map__reuse_fd(Pointer, other.FileDescriptor));

    /// <summary>Reads one value; false when the key is absent.</summary>
    public bool TryLookup<TKey, TValue>(TKey key, out TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        var result = Find(key, out value);
        return result >= 0 || (result == -Errno.ENOENT ? false : throw Fail("look up in", -result));
    }

    /// <summary>Reads one value where a refusal is an answer like others; 0 or the negative errno.</summary>
    internal int Find<TKey, TValue>(TKey key, out TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        value = default;
        fixed (TValue* memory = &value)
        {
            return Libbpf.bpf_map_lookup_elem(FileDescriptor, &key, memory);
        }
    }

    /// <summary>Writes one value.</summary>
    public void Update<TKey, TValue>(TKey key, TValue value)
        where TKey : unmanaged
        where TValue : unmanaged => Check("update", Libbpf.bpf_map_update_elem(FileDescriptor, &key, &value, 0));

    /// <summary>Removes one key; false when it was not there.</summary>
    public bool Delete<TKey>(TKey key)
        where TKey : unmanaged
    {
        var result = Libbpf.bpf_map_delete_elem(FileDescriptor, &key);
        return result >= 0 || (result == -Errno.ENOENT ? false : throw Fail("delete from", -result));
    }

    /// <summary>
    /// Reads a per-CPU array entry of 64-bit counters and adds them up: <paramref name="totals"/>[i] is the sum over all CPUs.
    /// </summary>
    public void SumPerCpu(uint key, Span<ulong> totals)
    {
        var stride = Stride(ValueSize);
        var length = stride * Processors(Libbpf.libbpf_num_possible_cpus());
        if (counted is null || counted.Length < length)
        {
            counted = new ulong[length];
        }

        var values = counted.AsSpan(0, length);
        fixed (ulong* memory = values)
        {
            Check("look up in", Libbpf.bpf_map_lookup_elem(FileDescriptor, &key, memory));
        }

        Sum(values, stride, totals);
    }

    /// <summary>The answer of libbpf_num_possible_cpus(), checked.</summary>
    /// <exception cref="KernelException">It is a negative errno.</exception>
    internal static int Processors(int answer) => answer >= 0
        ? answer
        : throw new KernelException("count the possible processors (/sys/devices/system/cpu/possible; is /sys mounted?)", -answer);

    /// <summary>
    /// From one CPU's value to the next, in 64-bit words: the kernel rounds each up to 8 bytes (Documentation/bpf/map_array.rst).
    /// </summary>
    internal static int Stride(uint valueSize) => (int)((valueSize + 7) & ~7u) / sizeof(ulong);

    /// <summary>Adds up the first counters of each CPU's value.</summary>
    /// <param name="values">The values of all CPUs, one behind the other.</param>
    /// <param name="stride"><see cref="Stride"/>; at least the length of <paramref name="totals"/>.</param>
    /// <param name="totals">The sums; what it held before does not count.</param>
    internal static void Sum(ReadOnlySpan<ulong> values, int stride, Span<ulong> totals)
    {
        totals.Clear();
        for (var cpu = 0; cpu < values.Length; cpu += stride)
        {
            for (var i = 0; i < totals.Length; i++)
            {
                totals[i] += values[cpu + i];
            }
        }
    }

    private void Check(string verb, int result)
    {
        if (result < 0)
        {
            throw Fail(verb, -result);
        }

        GC.KeepAlive(owner);
    }

    private KernelException Fail(string verb, int errno) => new($"{verb} map {name}", errno);
}

using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// The memory in which both sides of <see cref="IFlowKernel"/> hand over a batch of flows: a file in memory that both map. The kernel
/// writes keys and values right into it; the reading side says which entries are the host's, and gets the owners of their sockets.
/// </summary>
public sealed unsafe class FlowExchange : IDisposable
{
    /// <summary>Most entries of a batch. More than any bucket of the kernel's map holds, which it hands over whole or not at all.</summary>
    public const int Capacity = 512;

    /// <summary>Bytes of the file.</summary>
    public const int Size = FoundAt + Capacity;

    private const int KeySize = 44, ValueSize = 40, OwnerSize = 24;
    private const int ValuesAt = Capacity * KeySize;
    private const int OwnersAt = ValuesAt + (Capacity * ValueSize);
    private const int OursAt = OwnersAt + (Capacity * OwnerSize);
    private const int FoundAt = OursAt + Capacity;

    private readonly byte* memory;

    /// <summary>Makes the file.</summary>
    /// <exception cref="KernelException">The kernel gives no memory.</exception>
    public FlowExchange()
        : this(FixedMemory.Create("flows", Size))
    {
    }

    /// <summary>Maps a file that the other side made.</summary>
    /// <param name="descriptor">The file; closed by <see cref="Dispose"/>, and where this throws.</param>
    /// <exception cref="KernelException">It cannot be mapped, or has another size (EINVAL).</exception>
    public FlowExchange(int descriptor)
    {
        FileDescriptor = descriptor;
        try
        {
            memory = (byte*)FixedMemory.Map(descriptor, Size);
        }
        catch
        {
            _ = Descriptor.Close(descriptor);
            throw;
        }
    }

    /// <summary>The file, for the other side.</summary>
    public int FileDescriptor { get; }

    /// <summary>Where the kernel writes keys.</summary>
    internal FlowKey* KeyMemory => (FlowKey*)memory;

    /// <summary>Where the kernel writes values.</summary>
    internal FlowValue* ValueMemory => (FlowValue*)(memory + ValuesAt);

    /// <summary>The flows.</summary>
    internal Span<FlowKey> Keys => new(KeyMemory, Capacity);

    /// <summary>What was counted for them.</summary>
    internal Span<FlowValue> Values => new(ValueMemory, Capacity);

    /// <summary>Who owns the sockets of <see cref="Keys"/>: void where <see cref="Found"/> is 0.</summary>
    internal Span<SocketOwner> Owners => new(memory + OwnersAt, Capacity);

    /// <summary>1 where the address at the host's end is the host's own; asked by the side that reads.</summary>
    internal Span<byte> Ours => new(memory + OursAt, Capacity);

    /// <summary>1 where <see cref="Owners"/> has the owner.</summary>
    internal Span<byte> Found => new(memory + FoundAt, Capacity);

    /// <inheritdoc/>
    public void Dispose()
    {
        SharedMemory.Unmap(memory, Size);
        _ = Descriptor.Close(FileDescriptor);
    }
}

using Beyla.Agent.Linux;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Tests.Linux;

/// <summary>A file in memory that is mapped: what the kernel shares with a reader, without the kernel. All zero at first.</summary>
internal sealed unsafe class MemoryFile : IDisposable
{
    private readonly int size;

    public MemoryFile(int size)
    {
        this.size = size;
        Descriptor = global::Beyla.Agent.Linux.MemoryFile.Create("beyla");
        Assert.True(Descriptor >= 0);
        using (SafeFileHandle file = new(Descriptor, ownsHandle: false))
        {
            RandomAccess.SetLength(file, size);
        }

        Bytes = (byte*)SharedMemory.Map(Descriptor, 0, (nuint)size, SharedMemory.Read | SharedMemory.Write);
        Assert.False(Bytes == null);
    }

    public int Descriptor { get; }

    public byte* Bytes { get; }

    public void Dispose()
    {
        SharedMemory.Unmap(Bytes, (nuint)size);
        Assert.True(Agent.Linux.Descriptor.Close(Descriptor));
    }
}

using System.Runtime.InteropServices;

namespace Beyla.Agent.Tests.Linux;

/// <summary>A pipe.</summary>
internal sealed unsafe partial class Pipe : IDisposable
{
    public Pipe()
    {
        var ends = stackalloc int[2];
        Assert.Equal(0, pipe2(ends, 0x80000 /* O_CLOEXEC */));
        (Read, Write) = (ends[0], ends[1]);
    }

    public int Read { get; }

    public int Write { get; }

    public void Send()
    {
        byte one = 1;
        Assert.Equal(1, write(Write, &one, 1));
    }

    public void Dispose()
    {
        _ = close(Read);
        _ = close(Write);
    }

    [LibraryImport("libc")]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, void* bytes, nuint count);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Tests.Flows;

/// <summary>The memory that the two sides of the flows share.</summary>
public sealed partial class FlowExchangeTests
{
    /// <summary>struct flow_key, flow_value and owner of bpf/flows.h and bpf/owners.h: 44, 40 and 24 bytes, 512 of each.</summary>
    [Fact]
    public void Its_arrays_lie_one_behind_the_other_and_fill_the_file()
    {
        Assert.Equal((44, 40, 24), (Unsafe.SizeOf<FlowKey>(), Unsafe.SizeOf<FlowValue>(), Unsafe.SizeOf<SocketOwner>()));
        using FlowExchange exchange = new();
        Assert.Equal(
            [0, 22528, 43008, 55296, 55808],
            new[]
            {
                At(exchange, MemoryMarshal.AsBytes(exchange.Keys)), At(exchange, MemoryMarshal.AsBytes(exchange.Values)),
                At(exchange, MemoryMarshal.AsBytes(exchange.Owners)), At(exchange, exchange.Ours), At(exchange, exchange.Found),
            });
        Assert.Equal(
            (512, 512, 512, 512, 512),
            (exchange.Keys.Length, exchange.Values.Length, exchange.Owners.Length, exchange.Ours.Length, exchange.Found.Length));
        Assert.Equal(56320, FlowExchange.Size);
        using SafeFileHandle file = new(exchange.FileDescriptor, ownsHandle: false);
        Assert.Equal(56320, RandomAccess.GetLength(file));
    }

    [Fact]
    public void What_one_side_writes_the_other_reads()
    {
        using FlowExchange one = new();
        using FlowExchange other = new(Duplicate(one));
        for (int i = 0; i < FlowExchange.Capacity; i++)
        {
            one.Keys[i].SourcePort = (ushort)(i + 1);
            one.Values[i].Bytes = (ulong)i << 40;
            other.Ours[i] = (byte)(i & 1);
            one.Owners[i].Pid = (uint)(i + 7);
            one.Found[i] = (byte)((i >> 1) & 1);
        }

        for (int i = 0; i < FlowExchange.Capacity; i++)
        {
            Assert.Equal(
                (i + 1, (ulong)i << 40, (uint)(i + 7), i & 1, (i >> 1) & 1),
                (other.Keys[i].SourcePort, other.Values[i].Bytes, other.Owners[i].Pid, one.Ours[i], other.Found[i]));
        }
    }

    /// <summary>Who is cut off the end of a mapping gets SIGBUS: fcntl(2), F_SEAL_SHRINK lets nobody do that (EPERM).</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(FlowExchange.Size - 1)]
    [InlineData(FlowExchange.Size + 4096)]
    public void Neither_side_can_change_the_size(int size)
    {
        using FlowExchange exchange = new();
        using SafeFileHandle file = new(exchange.FileDescriptor, ownsHandle: false);
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(file, size));
        Assert.Equal(FlowExchange.Size, RandomAccess.GetLength(file));
    }

    [Theory]
    [InlineData(FlowExchange.Size - 1)]
    [InlineData(FlowExchange.Size + 1)]
    public void A_file_of_another_size_is_refused(int size)
    {
        KernelException refusal = Assert.Throws<KernelException>(() => new FlowExchange(FixedMemory.Create("test", size)));
        Assert.Equal(Errno.EINVAL, refusal.Errno);
    }

    private static int At(FlowExchange exchange, ReadOnlySpan<byte> part) =>
        (int)Unsafe.ByteOffset(
            ref MemoryMarshal.AsBytes(exchange.Keys)[0], ref MemoryMarshal.GetReference(part));

    private static int Duplicate(FlowExchange exchange)
    {
        int descriptor = dup(exchange.FileDescriptor);
        Assert.True(descriptor >= 0);
        return descriptor;
    }

    [LibraryImport("libc")]
    private static partial int dup(int descriptor);
}

using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Tests.Common;

/// <summary>
/// What a packet program sees of a packet in a test run (linux/bpf.h, struct __sk_buff); the fields that the kernel lets a test set.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
public struct TestPacket
{
    /// <summary>Index of an existing interface; 0 for the loopback interface.</summary>
    [FieldOffset(40)]
    public uint Interface;

    /// <summary>Segments of a super-frame; 0 for an ordinary packet.</summary>
    [FieldOffset(164)]
    public uint Segments;

    /// <summary>Payload bytes per segment.</summary>
    [FieldOffset(176)]
    public uint SegmentSize;
}

/// <summary>Runs a loaded packet program on bytes of one's own (BPF_PROG_TEST_RUN). For tests and measurements.</summary>
public static unsafe class ProgramTest
{
    /// <param name="program">A loaded socket filter or classifier.</param>
    /// <param name="frame">An Ethernet frame of at least 14 bytes.</param>
    /// <param name="packet">What else the program sees.</param>
    /// <param name="repeat">Times to run.</param>
    /// <param name="nanoseconds">Mean time of one run.</param>
    /// <returns>What the program returned.</returns>
    public static int Run(BpfProgram program, ReadOnlySpan<byte> frame, in TestPacket packet, int repeat, out uint nanoseconds)
    {
        fixed (byte* data = frame)
        fixed (TestPacket* context = &packet)
        {
            var options = new Options
            {
                Size = (nuint)sizeof(Options),
                DataIn = data,
                DataSizeIn = (uint)frame.Length,
                ContextIn = context,
                ContextSizeIn = (uint)sizeof(TestPacket),
                Repeat = repeat,
            };
            var result = Libbpf.bpf_prog_test_run_opts(program.FileDescriptor, &options);
            nanoseconds = options.Duration;
            return result < 0 ? throw new KernelException($"test program {program.Name}", -result) : (int)options.Result;
        }
    }

    /// <summary>struct bpf_test_run_opts (bpf/bpf.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Options
    {
        public nuint Size;
        public void* DataIn;
        public void* DataOut;
        public uint DataSizeIn;
        public uint DataSizeOut;
        public void* ContextIn;
        public void* ContextOut;
        public uint ContextSizeIn;
        public uint ContextSizeOut;
        public uint Result;
        public int Repeat;
        public uint Duration;
        public uint Flags;
        public uint Cpu;
        public uint BatchSize;
    }
}

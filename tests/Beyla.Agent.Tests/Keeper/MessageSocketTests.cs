using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>Messages and descriptors between two processes (unix(7)). Alone: it counts the descriptors of this process.</summary>
[Collection(nameof(MessageSocketTests))]
[CollectionDefinition(nameof(MessageSocketTests), DisableParallelization = true)]
public sealed partial class MessageSocketTests : IDisposable
{
    private readonly MessageSocket own, other;
    private readonly byte[] target = new byte[128 * 1024];
    private readonly int[] descriptors = new int[MessageSocket.MaximumDescriptors];

    public MessageSocketTests() => (own, other) = MessageSocket.CreatePair();

    [Fact]
    public void Messages_are_kept_apart_and_their_parts_joined()
    {
        Assert.Equal(0, own.Send([1, 2], [3], []));
        Assert.Equal(0, own.Send([4], [], []));
        Assert.Equal(0, own.Send([5], [6, 7, 8], []));
        Assert.Equal([1, 2, 3], Receive(other));
        Assert.Equal([4], Receive(other));
        Assert.Equal([5, 6, 7, 8], Receive(other));
        Assert.Equal(0, other.Send([9], [], []));
        Assert.Equal([9], Receive(own));
    }

    [Fact]
    public void What_does_not_fit_is_cut_and_the_next_message_is_whole()
    {
        own.Send(new byte[100], new byte[100], []);
        own.Send([1], [], []);
        Assert.Equal(150, other.Receive(target.AsSpan(0, 150), descriptors, out _));
        Assert.Equal([1], Receive(other));
    }

    [Fact]
    public void The_largest_answer_arrives()
    {
        var (head, body) = (RandomNumberGenerator.GetBytes(24), RandomNumberGenerator.GetBytes(KeeperReply.MaximumText));
        Assert.Equal(0, own.Send(head, body, []));
        Assert.Equal([.. head, .. body], Receive(other));
    }

    [Fact]
    public void Descriptors_arrive_as_copies_that_programs_do_not_inherit()
    {
        var pipes = Enumerable.Range(0, MessageSocket.MaximumDescriptors).Select(_ => new Pipe()).ToArray();
        var before = Open();
        Assert.Equal(0, own.Send([1], [], [.. pipes.Select(pipe => pipe.Read)]));
        Assert.Equal(1, other.Receive(target, descriptors, out var count));
        Assert.Equal(MessageSocket.MaximumDescriptors, count);
        Assert.Equal(before + count, Open());
        for (var i = 0; i < count; i++)
        {
            Assert.NotEqual(pipes[i].Read, descriptors[i]);
            Assert.Equal(Target(pipes[i].Read), Target(descriptors[i]));
            // proc_pid_fdinfo(5): flags in octal, O_CLOEXEC is 02000000.
            var flags = File.ReadLines($"/proc/self/fdinfo/{descriptors[i]}").First(line => line.StartsWith("flags:")).Split('\t')[1];
            Assert.NotEqual(0, Convert.ToInt32(flags, 8) & 0x80000);
            Assert.True(Descriptor.Close(descriptors[i]));
        }

        Array.ForEach(pipes, pipe => pipe.Dispose());
    }

    [Fact]
    public void Who_is_told_of_none_has_none()
    {
        using var pipe = new Pipe();
        own.Send([1], [], [pipe.Read]);
        own.Send([2], [], []);
        other.Receive(target, descriptors, out var count);
        Assert.Equal(1, count);
        Descriptor.Close(descriptors[0]);
        other.Receive(target, descriptors, out count);
        Assert.Equal(0, count);
    }

    [Fact]
    public void More_than_a_message_carries_is_a_mistake_of_the_caller() => Assert.Throws<ArgumentOutOfRangeException>(
        () => own.Send([1], [], new int[MessageSocket.MaximumDescriptors + 1]));

    [Fact]
    public void A_descriptor_that_is_not_open_is_not_sent()
    {
        Assert.Equal(-Errno.EBADF, own.Send([1], [], [int.MaxValue]));
        own.Send([2], [], []);
        Assert.Equal([2], Receive(other));
    }

    /// <summary>getrlimit(2), RLIMIT_NOFILE: the kernel hands over what there is room for (unix(7), MSG_CTRUNC).</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_receiver_without_room_gets_none_and_leaks_none(int room)
    {
        using var pipe = new Pipe();
        var all = Enumerable.Repeat(pipe.Read, MessageSocket.MaximumDescriptors).ToArray();
        var fillers = new List<int>();
        const int files = 7; // RLIMIT_NOFILE, asm-generic/resource.h
        Assert.Equal(0, getrlimit(files, out var before));
        var (count, length, opened, left) = (0, 0, 0, 0);
        own.Send([1, 2, 3], [], all);
        try
        {
            // A process that has all below the limit in use but a few.
            var highest = Directory.GetFiles("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path))) + 1;
            do
            {
                fillers.Add(Descriptor.Duplicate(pipe.Read));
            }
            while (fillers[^1] >= 0 && fillers[^1] < highest);

            Assert.Equal(0, setrlimit(files, new Limit { Soft = (nuint)(highest + 1 + room), Hard = before.Hard }));
            length = other.Receive(target, descriptors, out count);
            Assert.Equal(0, setrlimit(files, before));
            opened = Open();
            own.Send([4], [], [pipe.Read]);
            other.Receive(target, descriptors, out var more);
            Assert.Equal(1, more);
            Descriptor.Close(descriptors[0]);
            left = Open();
        }
        finally
        {
            setrlimit(files, before);
            fillers.ForEach(file => Descriptor.Close(file));
        }

        Assert.Equal((3, -1), (length, count));
        Assert.Equal(left, opened);
    }

    public void Dispose()
    {
        own.Dispose();
        other.Dispose();
    }

    private byte[] Receive(MessageSocket socket) => target[..socket.Receive(target, descriptors, out _)];

    private static string? Target(int file) => new FileInfo($"/proc/self/fd/{file}").LinkTarget;

    /// <summary>Descriptors of this process; not those of assemblies, which the runtime opens when it first needs one.</summary>
    internal static int Open() => Directory.GetFiles("/proc/self/fd").Count(
        static file => new FileInfo(file).LinkTarget?.EndsWith(".dll", StringComparison.Ordinal) != true);

    private struct Limit
    {
        public nuint Soft, Hard;
    }

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, out Limit limit);

    [LibraryImport("libc")]
    private static partial int setrlimit(int resource, in Limit limit);
}

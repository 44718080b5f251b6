using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Linux;

/// <summary>Writing without ever waiting longer than asked, to real descriptors (pipe(7), poll(2), full(4)).</summary>
public sealed unsafe partial class OutputDescriptorTests : IDisposable
{
    private const int NonBlocking = 0x800; // O_NONBLOCK, include/uapi/asm-generic/fcntl.h

    private readonly Pipe pipe = new();

    public void Dispose() => pipe.Dispose();

    /// <summary>
    /// pipe(7): a write of at most PIPE_BUF (4096) bytes to a pipe that poll calls writable does not wait. A longer one would, until
    /// somebody reads.
    /// </summary>
    [Fact]
    public void A_blocking_pipe_is_given_no_more_than_it_surely_takes()
    {
        OutputDescriptor output = new(pipe.Write);
        Assert.Equal(WriteResult.Written, output.TryWrite(new byte[100_000], 0, out var written));
        Assert.Equal(4096, written);
        Assert.Equal(4096, Waiting(pipe.Read));
    }

    [Fact]
    public void A_pipe_that_does_not_wait_is_given_all_and_takes_what_it_has_room_for()
    {
        Assert.Equal(0, fcntl(pipe.Write, 4 /* F_SETFL */, NonBlocking));
        OutputDescriptor output = new(pipe.Write);
        var room = fcntl(pipe.Write, 1032 /* F_GETPIPE_SZ */, 0);
        Assert.Equal(WriteResult.Written, output.TryWrite(new byte[room + 1000], 0, out var written));
        Assert.Equal(room, written);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(NonBlocking)]
    public void A_full_pipe_costs_the_time_that_was_asked_for_and_takes_again_when_it_was_read(int mode)
    {
        Assert.Equal(0, fcntl(pipe.Write, 4 /* F_SETFL */, mode));
        OutputDescriptor output = new(pipe.Write);
        long sent = 0;
        for (int written; output.TryWrite(new byte[4096], 0, out written) == WriteResult.Written; sent += written)
        {
        }

        Assert.Equal(sent, Waiting(pipe.Read));
        var before = Environment.TickCount64;
        Assert.Equal(WriteResult.Full, output.TryWrite([1], 50, out var none));
        Assert.InRange(Environment.TickCount64 - before, 40, 10_000);
        Assert.Equal(0, none);
        Assert.False(output.IsClosed());

        var bytes = stackalloc byte[8192];
        Assert.Equal(8192, read(pipe.Read, bytes, 8192));
        Assert.Equal(WriteResult.Written, output.TryWrite([1, 2, 3], 0, out var some));
        Assert.Equal(3, some);
    }

    /// <summary>EPIPE (32), and no SIGPIPE that would end this process.</summary>
    [Fact]
    public void A_pipe_without_a_reader_is_closed()
    {
        OutputDescriptor output = new(pipe.Write);
        Assert.False(output.IsClosed());
        var other = open("/dev/null", 0);
        Assert.Equal(pipe.Read, dup2(other, pipe.Read)); // closes the reader's end; the number stays the pipe's to close
        _ = close(other);
        Assert.True(output.IsClosed());
        Assert.Equal(WriteResult.Closed, output.TryWrite([1], 0, out var written));
        Assert.Equal((0, 32), (written, output.Error));
    }

    /// <summary>ENOSPC (28), as every write to /dev/full gives.</summary>
    [Fact]
    public void A_full_disk_is_a_failure_with_its_number()
    {
        var full = open("/dev/full", 1 /* O_WRONLY */);
        OutputDescriptor output = new(full);
        Assert.Equal(WriteResult.Failed, output.TryWrite([1], 0, out var written));
        Assert.Equal((0, 28), (written, output.Error));
        Assert.False(output.IsClosed());
        _ = close(full);
    }

    /// <summary>EBADF (9): no process has so many descriptors open (fs.nr_open is at most 2147483584).</summary>
    [Fact]
    public void A_descriptor_that_is_not_open_is_a_failure_and_no_reader_to_wait_for()
    {
        OutputDescriptor output = new(int.MaxValue);
        Assert.Equal(WriteResult.Failed, output.TryWrite([1], 0, out var written));
        Assert.Equal((0, 9), (written, output.Error));
    }

    [Fact]
    public void A_file_takes_everything_at_once()
    {
        var path = Path.GetTempFileName();
        try
        {
            var file = open(path, 1 /* O_WRONLY */);
            OutputDescriptor output = new(file);
            var bytes = new byte[100_000];
            new Random(1).NextBytes(bytes);
            Assert.Equal(WriteResult.Written, output.TryWrite(bytes, 0, out var written));
            Assert.Equal(bytes.Length, written);
            _ = close(file);
            Assert.Equal(bytes, File.ReadAllBytes(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Bytes that a reader would get (FIONREAD, include/uapi/asm-generic/ioctls.h).</summary>
    private static int Waiting(int descriptor)
    {
        int bytes;
        Assert.Equal(0, ioctl(descriptor, 0x541B, &bytes));
        return bytes;
    }

    [LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static partial int ioctl(int descriptor, nuint request, int* argument);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, void* bytes, nuint count);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc")]
    private static partial int dup2(int from, int to);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}

using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>Result of a write that does not wait.</summary>
internal enum WriteResult
{
    /// <summary>Some bytes were taken.</summary>
    Written,

    /// <summary>No room within the time.</summary>
    Full,

    /// <summary>Nobody reads any more.</summary>
    Closed,

    /// <summary>Another error.</summary>
    Failed,
}

/// <summary>
/// A file descriptor to write to that never holds its writer longer than asked, whether or not it is in non-blocking mode: that mode
/// belongs to the open file, which the shell and other processes share, so it is left as it is. Instead poll(2) says when there is room,
/// and a blocking pipe is given no more at once than it then has for sure (PIPE_BUF, see pipe(7)).
/// </summary>
internal sealed unsafe partial class OutputDescriptor
{
    private const int GetFlags = 3, NonBlocking = 0x800, PipeBuffer = 4096, ECONNRESET = 104, ENOSYS = 38;

    private const int NoWait = 8; // RWF_NOWAIT

    private readonly int descriptor;
    private readonly int atOnce;
    private readonly bool isPipe;
    private bool knowsNoWait = true;

    /// <summary>Takes a descriptor that is open and stays its caller's to close.</summary>
    internal OutputDescriptor(int descriptor)
    {
        this.descriptor = descriptor;
        // A closed reader is an error number, not a signal that ends the agent before it has cleaned up.
        _ = signal(13 /* SIGPIPE */, 1 /* SIG_IGN */);
        var flags = fcntl(descriptor, GetFlags, 0);
        var regular = lseek(descriptor, 0, 1) >= 0;
        isPipe = FileStatus.TryRead(descriptor, "", FileStatus.EmptyPath, FileStatus.Basic, out var status) && status.IsPipe;
        atOnce = regular || (flags >= 0 && (flags & NonBlocking) != 0) ? int.MaxValue : PipeBuffer;
    }

    /// <summary>errno of the last failure.</summary>
    internal int Error { get; private set; }

    /// <summary>Whether the reader is gone. Does not wait.</summary>
    internal bool IsClosed()
    {
        var poll = new PollDescriptor { Descriptor = descriptor };
        return Poll.Wait(ref poll, 0) > 0 && (poll.Returned & (Poll.Error | Poll.HangUp)) != 0;
    }

    /// <summary>
    /// Writes what can be written without any wait. A file whose file system may have to wait, and a terminal, which a key can stop, take
    /// nothing so: <see cref="WriteResult.Full"/>.
    /// </summary>
    internal WriteResult TryWriteAtOnce(ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        if (knowsNoWait)
        {
            nint count;
            fixed (byte* start = bytes)
            {
                var part = new Part { Start = start, Length = (nuint)bytes.Length };
                count = pwritev2(descriptor, &part, 1, -1, NoWait);
            }

            if (count >= 0)
            {
                written = (int)count;
                return WriteResult.Written;
            }

            Error = Marshal.GetLastPInvokeError();
            if (Error is not (Errno.EOPNOTSUPP or ENOSYS or Errno.EINVAL))
            {
                return ResultOf(Error);
            }

            // Pipes know it from Linux 6.4 on.
            knowsNoWait = false;
        }

        return isPipe ? TryWrite(bytes, 0, out written) : WriteResult.Full;
    }

    /// <summary>Writes a part of the bytes as soon as there is room.</summary>
    internal WriteResult TryWrite(ReadOnlySpan<byte> bytes, int milliseconds, out int written)
    {
        written = 0;
        var poll = new PollDescriptor { Descriptor = descriptor, Events = Poll.Out };
        var ready = Poll.Wait(ref poll, milliseconds);
        if (ready == 0 || (ready < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR))
        {
            return WriteResult.Full;
        }

        if (ready > 0 && (poll.Returned & Poll.Invalid) != 0)
        {
            Error = Errno.EBADF;
            return WriteResult.Failed;
        }

        nint count;
        fixed (byte* start = bytes)
        {
            count = write(descriptor, start, (nuint)Math.Min(bytes.Length, atOnce));
        }

        if (count >= 0)
        {
            written = (int)count;
            return WriteResult.Written;
        }

        Error = Marshal.GetLastPInvokeError();
        return ResultOf(Error);
    }

    private static WriteResult ResultOf(int error) => error switch
    {
        Errno.EINTR or Errno.EAGAIN => WriteResult.Full,
        Errno.EPIPE or ECONNRESET => WriteResult.Closed,
        _ => WriteResult.Failed,
    };

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        public byte* Start;
        public nuint Length;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwritev2(int descriptor, Part* parts, int count, long offset, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static partial long lseek(int descriptor, long offset, int whence);

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);
}

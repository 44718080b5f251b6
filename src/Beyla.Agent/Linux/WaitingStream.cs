using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>
/// A descriptor to read from, which can be told to end, and which does other things while nothing comes. Cannot be written, nor sought in.
/// </summary>
/// <param name="descriptor">Stays its caller's to close; 0 is standard input.</param>
/// <param name="idle">
/// Called before each read that may have to wait: says for how many milliseconds that may be until it is called again.
/// </param>
/// <param name="stop">When cancelled, the input is at its end.</param>
public sealed unsafe partial class WaitingStream(int descriptor, Func<int> idle, CancellationToken stop) : Stream
{
    /// <summary>After that long it is looked whether it is to end, in milliseconds.</summary>
    private const int Look = 100;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads what is there, or waits for it.</summary>
    /// <returns>Bytes read; 0 at the end, and when it was told to end.</returns>
    /// <exception cref="IOException">The descriptor cannot be read.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (!stop.IsCancellationRequested)
        {
            var poll = new PollDescriptor { Descriptor = descriptor, Events = Poll.In };
            if (Poll.Wait(ref poll, Math.Clamp(idle(), 0, Look)) <= 0)
            {
                continue; // a signal, or nothing yet
            }

            nint count;
            fixed (byte* start = buffer)
            {
                count = read(descriptor, start, (nuint)buffer.Length);
            }

            if (count >= 0)
            {
                return (int)count;
            }

            if (Marshal.GetLastPInvokeError() is not (Errno.EINTR or Errno.EAGAIN) and var error)
            {
                throw new IOException(Errno.Describe(error));
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, byte* buffer, nuint count);
}

using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>struct pollfd of poll(2).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollDescriptor
{
    /// <summary>What is waited for; a negative one is passed over, so that only the time passes.</summary>
    public int Descriptor;

    /// <summary>What is asked: <see cref="Poll.In"/>, <see cref="Poll.Out"/>.</summary>
    public short Events;

    /// <summary>What there is; errors are told without being asked for.</summary>
    public short Returned;
}

/// <summary>Waits for one descriptor (poll(2)).</summary>
public static unsafe partial class Poll
{
    /// <summary>
    /// Bits of poll(2), the same on every architecture of .NET: readable, writable, error, the other end is gone, not open.
    /// </summary>
    public const short In = 1, Out = 4, Error = 8, HangUp = 16, Invalid = 32;

    /// <summary>Waits, at most so many milliseconds; 0 does not wait.</summary>
    /// <returns>1 when there is something, 0 when the time is over, -1 with errno as the last P/Invoke error.</returns>
    public static int Wait(ref PollDescriptor descriptor, int milliseconds)
    {
        fixed (PollDescriptor* one = &descriptor)
        {
            return poll(one, 1, milliseconds);
        }
    }

    /// <summary>
    /// Waits for the first of several; as <see cref="Wait(ref PollDescriptor, int)"/>, but -1 milliseconds wait without a limit.
    /// </summary>
    public static int Wait(Span<PollDescriptor> descriptors, int milliseconds)
    {
        fixed (PollDescriptor* first = descriptors)
        {
            return poll(first, (nuint)descriptors.Length, milliseconds);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollDescriptor* descriptors, nuint count, int milliseconds);
}

namespace Beyla.Agent.Linux;

/// <summary>
/// A descriptor to write to, which waits for its reader until it is told not to any longer. One thread.
/// </summary>
/// <param name="descriptor">Stays its caller's to close; 1 is standard output.</param>
public sealed class WaitingOutput(int descriptor)
{
    /// <summary>After that long it is looked whether it is to end, in milliseconds.</summary>
    private const int Look = 100;

    private readonly OutputDescriptor output = new(descriptor);

    /// <summary>Whether the reader has closed it, or it failed: nothing can be written any more.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Writes all of the bytes.</summary>
    /// <param name="bytes">What is written.</param>
    /// <param name="stop">Ends the wait for the reader; a part may have been written then.</param>
    /// <param name="error">Why not all was written.</param>
    public bool TryWrite(ReadOnlySpan<byte> bytes, CancellationToken stop, out string error)
    {
        error = "";
        while (!bytes.IsEmpty && !IsOver)
        {
            switch (output.TryWrite(bytes, Look, out var written))
            {
                case WriteResult.Written:
                    bytes = bytes[written..];
                    break;
                case WriteResult.Full when stop.IsCancellationRequested:
                    error = "its reader did not take it in time";
                    return false;
                case WriteResult.Full:
                    break;
                case WriteResult.Closed:
                    IsOver = true;
                    break;
                default:
                    IsOver = true;
                    error = Errno.Describe(output.Error);
                    break;
            }
        }

        if (IsOver && error.Length == 0)
        {
            error = "its reader has closed it";
        }

        return !IsOver;
    }
}

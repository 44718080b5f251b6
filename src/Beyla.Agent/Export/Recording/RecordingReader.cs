using Beyla.Agent.Logging;

namespace Beyla.Agent.Export.Recording;

/// <summary>
/// Reads a recording line by line: spans are replayed, what else a stream holds is passed over. A line that cannot be read is warned of,
/// counted, and loses only itself. One thread.
/// </summary>
/// <param name="stream">The recording.</param>
/// <param name="spans">Takes the spans.</param>
public sealed class RecordingReader(AgentStream stream, RecordedSpans spans)
{
    /// <summary>So many bad lines are warned of one by one: who gives a file of another kind is told so soon.</summary>
    private const int MaximumWarnings = 100;

    /// <summary>Lines that could not be read.</summary>
    public long BadLines { get; private set; }

    /// <summary>Why the rest of the recording cannot be read; null when it could.</summary>
    public string? Failure { get; private set; }

    /// <summary>Reads until the end.</summary>
    /// <param name="stop">Ends it sooner.</param>
    public void Run(CancellationToken stop)
    {
        try
        {
            while (Failure is null && !stop.IsCancellationRequested && stream.TryRead(out var line))
            {
                // Whoever ends it may have cut a line.
                if (!stop.IsCancellationRequested)
                {
                    Take(line);
                }
            }
        }
        catch (IOException failure)
        {
            Failure = $"standard input cannot be read: {failure.Message}";
        }
    }

    private void Take(StreamLine line)
    {
        if (line.Span is { } span)
        {
            if (spans.Replay(span) is { } wrong)
            {
                Warn(wrong, stream.LineNumber, "");
            }
        }
        else if (line.Error is { Kind: StreamErrorKind.UnsupportedVersion } version)
        {
            Failure = version.Message;
        }
        else if (line.Error is { Kind: not StreamErrorKind.UnknownType } error)
        {
            Warn(error.Message, error.Line, error.Excerpt);
        }
    }

    private void Warn(string error, long line, string excerpt)
    {
        BadLines++;
        if (BadLines <= MaximumWarnings)
        {
            Log.Warn("A line cannot be read and is left out", ("line", line), ("error", error), ("begins", excerpt));
        }
        else if (BadLines == MaximumWarnings + 1)
        {
            Log.Warn("Further lines that cannot be read are only counted");
        }
    }
}

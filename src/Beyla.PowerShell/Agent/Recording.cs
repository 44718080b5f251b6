using System.Globalization;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Reads the spans of a file that has lines of the agent's stream (docs/stream.md). Lines of other types are passed over; a header is not
/// needed, so that what grep or jq left of a recording is one too.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="sink">Who is told what is wrong with a line.</param>
internal sealed class Recording(string path, IRunSink sink)
{
    private const int BadLineLimit = 100, BlockSize = 1 << 16;

    private readonly StreamLineParser parser = new();
    private long number;
    private long badLines;

    /// <summary>Spans so far.</summary>
    internal long Count { get; private set; }

    /// <summary>Reads to the end.</summary>
    /// <param name="take">Gets blocks of whole lines, as they are in the file, and the spans that they say.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="AgentException">The file cannot be read, or is no recording.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    internal void Read(Action<byte[], IReadOnlyList<Contracts.Span>> take, CancellationToken stop)
    {
        using var block = new MemoryStream();
        var spans = new List<Contracts.Span>();
        void Hand()
        {
            if (spans.Count > 0)
            {
                take(block.ToArray(), spans);
            }

            block.SetLength(0);
            spans.Clear();
        }

        using var file = Open();
        var lines = new LineReader(file);
        do
        {
            while (lines.TryRead(out var line, out var kind))
            {
                stop.ThrowIfCancellationRequested();
                if (Parse(line.TrimEnd((byte)'\r'), kind) is not { } span)
                {
                    continue;
                }

                Count++;
                spans.Add(span);
                block.Write(line.TrimEnd((byte)'\r'));
                block.WriteByte((byte)'\n');
                if (block.Length >= BlockSize)
                {
                    Hand();
                }
            }
        }
        while (Fill(lines));

        Hand();
    }

    private Contracts.Span? Parse(ReadOnlySpan<byte> line, LineKind kind)
    {
        number++;
        if (line.IsEmpty)
        {
            return null;
        }

        if (kind == LineKind.TooLong)
        {
            Bad(AgentFault.StreamLineTooLong, $"the line is longer than {LineReader.MaximumLineLength} bytes");
            return null;
        }

        var read = parser.Parse(line);
        switch (read.Error?.Kind)
        {
            case null:
                return read.Span;
            case StreamErrorKind.UnknownType:
                return null;
            case StreamErrorKind.UnsupportedVersion:
                throw new AgentException(
                    AgentFault.StreamVersionNotSupported, Where(read.Error!.Message), "Use a module of the release that recorded it.",
                    path);
            default:
                Bad(AgentFault.StreamLineInvalid, $"{read.Error!.Message}: '{read.Error.Excerpt}'");
                return null;
        }
    }

    private void Bad(AgentFault fault, string what)
    {
        if (++badLines > BadLineLimit)
        {
            throw new AgentException(
                AgentFault.StreamInvalid, $"Gave up after {BadLineLimit} bad lines. {Where(what)}",
                "A recording is what the agent prints with BEYLA_TRACE_PRINTER=json.", path);
        }

        sink.Report(new AgentException(fault, Where(what), "The line is left out; the others are exported.", path));
    }

    private string Where(string what) => string.Create(CultureInfo.InvariantCulture, $"Line {number} of '{Visible.Text(path)}': {what}");

    private FileStream Open()
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotReadable(error);
        }
    }

    private bool Fill(LineReader lines)
    {
        try
        {
            return lines.Fill();
        }
        catch (IOException error)
        {
            throw NotReadable(error);
        }
    }

    private AgentException NotReadable(Exception error) => new(
        AgentFault.RecordingNotReadable, $"'{Visible.Text(path)}' cannot be read: {Visible.Text(error.Message)}", "Correct -Path.", path,
        error);
}

using Beyla.Contracts;

namespace Beyla;

/// <summary>What is wrong with a line of the stream.</summary>
public enum StreamErrorKind
{
    /// <summary>The line is not one JSON object.</summary>
    BadJson,

    /// <summary>A field that every reader needs is missing, or has a value of the wrong type or out of range.</summary>
    BadField,

    /// <summary>
    /// The line's type is not known to this reader; a newer agent may write more types, so this alone is no fault of the agent.
    /// </summary>
    UnknownType,

    /// <summary>The line is longer than the limit; it was skipped without being kept.</summary>
    TooLong,

    /// <summary>The stream ended within a line.</summary>
    Incomplete,

    /// <summary>The first line is not the header.</summary>
    MissingHeader,

    /// <summary>The header names a version that this reader does not know.</summary>
    UnsupportedVersion,
}

/// <summary>Why a line gave no object.</summary>
/// <param name="Kind">The kind of error.</param>
/// <param name="Message">What was wrong, with the value or the limit.</param>
/// <param name="Line">Number of the line, from 1; 0 when a single line was parsed.</param>
/// <param name="Length">Bytes of the line.</param>
/// <param name="Excerpt">The beginning of the line, printable ASCII only.</param>
public sealed record StreamError(StreamErrorKind Kind, string Message, long Line, long Length, string Excerpt);

/// <summary>One line of the stream: either an object or an error.</summary>
public readonly struct StreamLine
{
    private StreamLine(object? value, StreamError? error)
    {
        Value = value;
        Error = error;
    }

    /// <summary>
    /// A <see cref="Span"/>, <see cref="Flow"/>, <see cref="AgentCounters"/>, <see cref="StreamHeader"/>, …; null
    /// when there is an error.
    /// </summary>
    public object? Value { get; }

    /// <summary>Why there is no object; null when there is one.</summary>
    public StreamError? Error { get; }

    /// <summary>The value as a span, or null.</summary>
    public Span? Span => Value as Span;

    /// <summary>The value as a flow, or null.</summary>
    public Flow? Flow => Value as Flow;

    /// <summary>A line that gave an object.</summary>
    internal static StreamLine Of(object value) => new(value, null);

    /// <summary>
    /// A line that gave none. <paramref name="length"/> is that of the whole line in bytes where only its beginning
    /// was kept.
    /// </summary>
    internal static StreamLine Bad(StreamErrorKind kind, string message, ReadOnlySpan<byte> line, long number = 0, long? length = null) =>
        new(null, new StreamError(kind, message, number, length ?? line.Length, Excerpt(line)));

    /// <summary>The same with the number of the line in the stream, from 1, in its error.</summary>
    internal StreamLine At(long number) => Error is null ? this : new(null, Error with { Line = number });

    /// <summary>At most 80 characters; whatever could act on a terminal becomes a point.</summary>
    private static string Excerpt(ReadOnlySpan<byte> line)
    {
        Span<char> text = stackalloc char[Math.Min(line.Length, 80)];
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = line[i] is >= 0x20 and < 0x7f ? (char)line[i] : '.';
        }

        return new string(text);
    }
}

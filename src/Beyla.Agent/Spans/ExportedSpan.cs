using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans;

/// <summary>A span on its way out: with its process and wall clock times, sensitive values removed. Valid only during the call.</summary>
public readonly ref struct ExportedSpan
{
    private readonly ref readonly SpanData span;

    /// <param name="span">The span, which lives as long as this; see <see cref="Span"/>.</param>
    public ExportedSpan(ref readonly SpanData span) => this.span = ref span;

    /// <summary>
    /// The span; its values are redacted, and otherwise as captured: each sink escapes for its format.
    /// </summary>
    public ref readonly SpanData Span => ref span;

    /// <summary>The traced process.</summary>
    public required ProcessInfo Process { get; init; }

    /// <summary>Wall clock time of <see cref="SpanData.Start"/>, in microseconds since 1970 (UTC).</summary>
    public long Start { get; init; }

    /// <summary>Microseconds from the first byte of the request to the last of the response, by the monotonic clock.</summary>
    public long Duration { get; init; }

    /// <summary>Microseconds from the complete head of the request to the last byte of the response, by the monotonic clock.</summary>
    public long HandlerDuration { get; init; }

    /// <summary><see cref="Start"/> plus <see cref="Duration"/>.</summary>
    public long End => Start + Duration;

    /// <summary><see cref="End"/> less <see cref="HandlerDuration"/>.</summary>
    public long HandlerStart => End - HandlerDuration;
}

namespace Beyla.Agent.Protocols.Http;

/// <summary>What <see cref="HttpMessageReader.Read"/> found, in the order in which a message has it (RFC 9112 section 2.1).</summary>
internal enum HttpToken : byte
{
    /// <summary>Nothing that is whole: what could be taken was taken, and the message goes on.</summary>
    None = 0,

    /// <summary>The beginning of a start line, as far as it was gathered; the next segment goes on with it.</summary>
    PartOfStartLine,

    /// <summary>A whole start line.</summary>
    StartLine,

    /// <summary>A start line that is longer than <see cref="HttpLineReader.MaxLine"/>: its beginning. Its end was seen.</summary>
    LongStartLine,

    /// <summary>A start line whose end passed unseen: its beginning.</summary>
    CutStartLine,

    /// <summary>The value of a traceparent field, not empty.</summary>
    TraceParent,

    /// <summary>The value of a tracestate field, not empty.</summary>
    TraceState,

    /// <summary>The value of a Host field, not empty. Other fields only count for <see cref="HttpMessageReader.Fields"/>.</summary>
    Host,

    /// <summary>The empty line after the fields.</summary>
    HeadEnd,

    /// <summary>The rest of the fields passed unseen.</summary>
    HeadCut,

    /// <summary>The last byte of the body.</summary>
    BodyEnd,
}

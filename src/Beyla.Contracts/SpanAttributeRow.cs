namespace Beyla;

/// <summary>What is removed from the text of an attribute before it leaves the agent.</summary>
public enum SpanRedaction : byte
{
    /// <summary>Nothing: the protocol that adds it leaves out what is secret.</summary>
    None,

    /// <summary>Values of sensitive parameters of a query.</summary>
    Query,

    /// <summary>Values of sensitive parameters of a path, and user information.</summary>
    Path,

    /// <summary>User name and password of an authority.</summary>
    UserInfo,
}

/// <summary>One row of <see cref="SpanAttributes"/>: all that is to be known of an attribute but its value.</summary>
public sealed class SpanAttributeRow
{
    /// <summary>Which.</summary>
    public required SpanAttribute Attribute { get; init; }

    /// <summary>Its name in the OpenTelemetry conventions, which is also its name in <c>attributes</c> of the stream.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Its name in version 1 of the stream and, in any case of letters, as a property in PowerShell; of a part of the envelope the name
    /// of its field. Null where it has none.
    /// </summary>
    public string? ShortName { get; init; }

    /// <summary>A part of the envelope of a span, with a field of its own, and not of <c>attributes</c>.</summary>
    public bool IsEnvelope { get; init; }

    /// <summary>The value is a whole number, 0 or more; else it is a text.</summary>
    public bool IsNumber { get; init; }

    /// <summary>Most bytes of the text in a line, escaped; a longer one is cut and ends in <c>…</c>. 0 for a number.</summary>
    public int Limit { get; init; }

    /// <summary>What is removed from the text.</summary>
    public SpanRedaction Redaction { get; init; }

    /// <summary>Names of the protocols whose spans may have it; empty where all may.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [];

    /// <summary>What it is, as part of a sentence.</summary>
    public required string Meaning { get; init; }
}

namespace Beyla;

/// <summary>Which side of the conversation the traced process was (OpenTelemetry SpanKind).</summary>
public enum SpanKind : byte
{
    /// <summary>The process answered a request.</summary>
    Server = 1,

    /// <summary>The process made a request.</summary>
    Client = 2,
}

namespace Beyla;

/// <summary>How it is known which span led to another one (field <c>parentSource</c> of the stream, docs/context.md).</summary>
public enum ParentSource : byte
{
    /// <summary>It is not known: the span has no parent.</summary>
    None,

    /// <summary>A <c>traceparent</c> header: what the caller sent with the request, or the trace that a call takes on.</summary>
    Header,

    /// <summary>What the caller's agent sent with the segment, as a TCP option.</summary>
    Option,

    /// <summary>The other end of the connection is a traced process of this host: the request is the call that it made.</summary>
    Connection,

    /// <summary>The thread that made the call has read one request and not answered it yet.</summary>
    Thread,

    /// <summary>The goroutine that made the call has read the request.</summary>
    Goroutine,

    /// <summary>
    /// What the thread did before the call and what it did after the response say the same; or the process had no other request; or the
    /// goroutine that started the calling one has read it. Probable, and the only one that is a guess.
    /// </summary>
    Agreement,
}

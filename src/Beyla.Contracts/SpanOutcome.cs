namespace Beyla;

/// <summary>How the exchange ended.</summary>
public enum SpanOutcome : byte
{
    /// <summary>The answer was complete.</summary>
    Complete = 0,

    /// <summary>The answer was 101 Switching Protocols, or 2xx to CONNECT: what follows on the connection is not HTTP.</summary>
    Upgraded,

    /// <summary>The connection ended before the answer was complete; the status is 0 when no answer had begun.</summary>
    Closed,

    /// <summary>No answer within ebpf.http_request_timeout; reported with status 408 as the peer does.</summary>
    TimedOut,

    /// <summary>The end of the answer could not be seen (lost or uncaptured bytes); the end time is that of the last bytes seen.</summary>
    Unfinished,
}

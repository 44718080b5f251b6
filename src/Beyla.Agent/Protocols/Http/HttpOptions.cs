namespace Beyla.Agent.Protocols.Http;

/// <summary>Settings of the HTTP/1 protocol.</summary>
public sealed record HttpOptions
{
    /// <summary>
    /// How long a request may stay without an answer before it is reported with status 408
    /// (ebpf.http_request_timeout); zero waits for ever.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; }

    /// <summary>
    /// Requests without a complete answer that are kept per connection; what a client pipelines beyond that is counted as lost.
    /// </summary>
    public int MaxPipelined { get; init; } = 64;
}

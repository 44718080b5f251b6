namespace Beyla.Agent.Tracing;

/// <summary>Limits of an <see cref="ExchangeLedger{T}"/>.</summary>
public sealed record LedgerOptions
{
    /// <summary>How long a request may stay without a response before it is reported as timed out; zero waits for ever.</summary>
    public TimeSpan RequestTimeout { get; init; }

    /// <summary>Exchanges without a complete response that are kept per connection; what comes beyond that is counted as lost.</summary>
    public int MaxPipelined { get; init; } = 64;
}

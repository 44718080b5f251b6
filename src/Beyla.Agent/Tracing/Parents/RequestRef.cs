namespace Beyla.Agent.Tracing.Parents;

/// <summary>
/// A request that was open when this was written down. The object of an exchange is used again: its serial number tells whether it still
/// is that request.
/// </summary>
internal readonly struct RequestRef(Exchange? exchange)
{
    private readonly uint serial = exchange?.Links.Serial ?? 0;

    /// <summary>The request as long as it is open; else null.</summary>
    public Exchange? Open => exchange is not null && serial != 0 && exchange.Links.Serial == serial ? exchange : null;

    /// <summary>Whether this is that request.</summary>
    public bool Is(Exchange other) => ReferenceEquals(exchange, other) && serial != 0 && other.Links.Serial == serial;
}

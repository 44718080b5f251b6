using System.Net;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>Where a responder listens, and its limits.</summary>
public sealed record ResponderOptions
{
    /// <summary>Address on which it listens.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port; 0 is any that is free.</summary>
    public int Port { get; init; }

    /// <summary>Connections at once; others wait until one is over.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Time for a request to come in.</summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time for an answer to be taken.</summary>
    public TimeSpan ResponseTime { get; init; } = TimeSpan.FromSeconds(10);
}

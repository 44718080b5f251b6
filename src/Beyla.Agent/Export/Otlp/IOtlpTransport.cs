namespace Beyla.Agent.Export.Otlp;

/// <summary>Carries requests to a receiver. One request at a time.</summary>
public interface IOtlpTransport : IDisposable
{
    /// <summary>Where to, for the log.</summary>
    string Target { get; }

    /// <summary>Sends a request and waits for the answer. Does not throw for what the network or the receiver does.</summary>
    /// <param name="body">The request in protocol buffers.</param>
    /// <param name="limit">Ends the wait.</param>
    OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit);
}

using Beyla.Agent.Linux;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Writes each request as one line of JSON to a descriptor (OpenTelemetry specification, "OpenTelemetry Protocol File Exporter", "JSON
/// lines file"). It waits for the reader. One thread.
/// </summary>
/// <param name="descriptor">1 is standard output.</param>
/// <param name="signal">What the requests hold.</param>
/// <param name="closed">Called when nothing can be written any more, on the thread that found it.</param>
public sealed class OtlpJsonLines(int descriptor, OtlpSignal signal, Action closed) : IOtlpTransport
{
    private readonly WaitingOutput output = new(descriptor);

    /// <inheritdoc/>
    public string Target => "standard output";

    /// <inheritdoc/>
    public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
    {
        if (output.TryWrite(OtlpJson.Encode(body.Span, signal).Span, limit, out var error) && output.TryWrite("\n"u8, limit, out error))
        {
            return new OtlpAnswer(OtlpVerdict.Taken);
        }

        if (output.IsOver)
        {
            closed();
        }

        return new OtlpAnswer(OtlpVerdict.Refused, Reason: error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}

using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>The agent with an endpoint, a short wait for a batch, and its stream beside it.</summary>
internal static class ExportingAgent
{
    /// <summary>Settings that trace a port and export spans, and no metrics, to an endpoint.</summary>
    /// <param name="port">What is traced.</param>
    /// <param name="endpoint"><c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.</param>
    /// <param name="protocol"><c>OTEL_EXPORTER_OTLP_PROTOCOL</c>; null leaves it unset.</param>
    public static AgentSettings For(int port, string endpoint, string? protocol = "http/protobuf")
    {
        AgentSettings settings = AgentSettings.ForPorts(port)
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .With("OTEL_METRICS_EXPORTER", "none")
            .With("OTEL_BSP_SCHEDULE_DELAY", "200")
            .With("BEYLA_BACKOFF_INITIAL_INTERVAL", "200ms");
        return protocol is null ? settings : settings.With("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    }

    /// <summary>The same in requests of so many spans: none goes because of the time.</summary>
    public static AgentSettings InBatchesOf(this AgentSettings settings, int spans) => settings
        .With("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", spans.ToString(System.Globalization.CultureInfo.InvariantCulture))
        .With("OTEL_BSP_SCHEDULE_DELAY", "60000");

    /// <summary>What was sent and lost where spans are sent, by the counters at the end of the stream.</summary>
    public static (long Sent, long Lost) Sent(this AgentProcess agent)
    {
        PlaceCount count = Assert.Single(
            agent.LastLine?.Places ?? [], place => place.Unit == "spans" && place.Place.StartsWith("otlp", StringComparison.Ordinal));
        Assert.True(count.Balanced, AgentLog.Describe(count));
        Assert.Equal(0, count.Held);
        return (count.Emitted, count.Lost);
    }
}

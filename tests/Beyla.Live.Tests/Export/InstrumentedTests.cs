using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>A server that sends OpenTelemetry data itself beside one that does not: what is sent already is not sent twice.</summary>
public sealed class InstrumentedTests
{
    private const string Duration = "http.server.request.duration";

    [LiveTheory("python3", "otlp-receiver")]
    [InlineData("true")]
    [InlineData("false")]
    public async Task What_a_process_sends_itself_is_left_out_from_then_on(string setting)
    {
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using TestServer own = await ServerKinds.ScriptAsync(
            "instrumented.py", receiver.HttpPort.ToString(CultureInfo.InvariantCulture));
        await using TestServer plain = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            ExportingAgent.For(own.Port, receiver.HttpUrl)
            .With("BEYLA_OPEN_PORT", string.Create(CultureInfo.InvariantCulture, $"{own.Port},{plain.Port}"))
            .With("BEYLA_EXCLUDE_OTEL_INSTRUMENTED_SERVICES", setting)
            .With("OTEL_METRICS_EXPORTER", "otlp").With("OTEL_METRIC_EXPORT_INTERVAL", "3600000"));

        // Each step is in the stream before the next begins. The span of the call is there before that of the request it was made for.
        int served = 0;
        foreach (string step in (string[])["", "traces", "metrics"])
        {
            if (step.Length > 0)
            {
                await HttpRequests.SendAsync(own.Port, 1, "/send/" + step);
                await agent.WaitForServerSpansAsync(++served);
            }

            await HttpRequests.SendAsync(own.Port, 5, "/hello");
            await HttpRequests.SendAsync(plain.Port, 5, "/hello");
            await agent.WaitForServerSpansAsync(served += 10);
        }

        await agent.StopAsync(ChildProcess.SIGTERM);
        bool leftOut = setting == "true";

        // Nothing is missing on the console: 17 requests of the one, 15 of the other, two calls.
        Assert.Equal(17 + 15 + 2, agent.Spans.Count);
        Assert.Equal(5, receiver.Spans.Count(span => span.Scope == "own"));
        ILookup<long, OtlpSpan> spans = receiver.Spans.Where(span => span.Scope == "beyla")
            .ToLookup(span => (long)span.Resource["process.pid"]);
        Assert.Equal((leftOut ? 5 : 17 + 2, 15), (spans[own.Pid].Count(), spans[plain.Pid].Count()));
        // All until it sent metrics: five, the request to send traces, and five.
        ILookup<long, OtlpPoint> points = receiver.Points.Where(point => point.Metric == Duration)
            .ToLookup(point => (long)point.Resource["process.pid"]);
        Assert.Equal(
            (leftOut ? 11 : 17, 15), (points[own.Pid].Sum(point => point.Count), points[plain.Pid].Sum(point => point.Count)));

        PlaceCount[] counts = [.. agent.LastLine!.Places.Where(
            place => place.Place.StartsWith("instrumented", StringComparison.Ordinal))];
        Assert.Equal(
            leftOut ? ["instrumented.traces 14", "instrumented.metrics 7"] : [],
            counts.Select(count => $"{count.Place} {count.Filtered}"));
        string[] told = [.. agent.ErrorLines.Where(line => line.Contains("sends OpenTelemetry data itself", StringComparison.Ordinal))];
        Assert.Equal(leftOut ? ["traces", "metrics"] : [], told.Select(line => line.Contains("of=traces", StringComparison.Ordinal)
            ? "traces" : "metrics"));
        Assert.All(told, line => Assert.Contains("discovery.exclude_otel_instrumented_services", line, StringComparison.Ordinal));
    }
}

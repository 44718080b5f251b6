using Beyla.Agent.Selection;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Spans;

public sealed class ExportsStageTests
{
    [Theory]
    [InlineData(ExportedSignals.All, 1, 1)]
    [InlineData(ExportedSignals.Traces, 1, 0)]
    [InlineData(ExportedSignals.Metrics, 0, 1)]
    [InlineData(ExportedSignals.None, 0, 0)]
    public void A_service_leaves_in_the_signals_that_its_rule_says(ExportedSignals exports, int traces, int metrics)
    {
        var span = Samples.Client;
        foreach (var (signal, place, expected) in (ReadOnlySpan<(ExportedSignals, string, int)>)
            [(ExportedSignals.Traces, "exports.traces", traces), (ExportedSignals.Metrics, "exports.metrics", metrics)])
        {
            var taken = new Taker();
            var stage = new ExportsStage(taken, signal);
            stage.OnSpan(new ExportedSpan(in span) { Process = Samples.Web with { Exports = exports } });
            Assert.Equal(expected, taken.Spans);
            // One that says nothing leaves in all.
            stage.OnSpan(new ExportedSpan(in span) { Process = Samples.Plain });
            Assert.Equal(expected + 1, taken.Spans);
            if (expected == 1)
            {
                Assert.Empty(stage.Count());
                continue;
            }

            var count = Assert.Single(stage.Count());
            Assert.Equal((place, 2L, 1L, 1L), (count.Place, count.Produced, count.Emitted, count.Filtered));
        }
    }

    private sealed class Taker : IExportStage
    {
        public int Spans { get; private set; }

        public void OnSpan(in ExportedSpan span) => Spans++;

        public long Tick(long now) => long.MaxValue;

        public void Finish(long deadline)
        {
        }
    }
}

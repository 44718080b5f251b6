using System.Globalization;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

/// <summary>A run from its begin to its end, with planted agents.</summary>
public sealed class AgentRunTests : IDisposable
{
    // What the module promises is 2 s; a busy machine gets some more to start processes.
    // Only what hangs takes so long: how long things take is measured by the benchmarks, for a machine may be busy with other work.
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    private readonly Planted planted = new();

    public void Dispose() => planted.Dispose();

    [Fact]
    public void Spans_come_in_order_and_complete()
    {
        var kept = Run("header; for i in 1 2 3; do span $i; done; exit 0");

        Assert.Equal(["/1", "/2", "/3"], kept.Values.Cast<Span>().Select(s => s.Path));
        Assert.Empty(kept.Problems);
        Assert.Empty(kept.Warnings);
    }

    [Fact]
    public void Maximum_count_ends_the_agent_and_gives_no_more()
    {
        var kept = Run(
            "header; i=0; while [ $i -lt 5000 ]; do i=$((i+1)); span $i; done; stay", new RunLimits(typeof(Span), MaximumCount: 7));

        Assert.Equal(7, kept.Values.Count);
        Assert.Equal(0, LiveAgents.Count);
    }

    [Fact]
    public void Duration_counts_from_the_begin_of_the_stream()
    {
        Kept? kept = null;
        var taken = Timed.Run(() =>
            kept = Run("sleep 0.5; header; span 1; stay; span 2", new RunLimits(typeof(Span), Duration: TimeSpan.FromMilliseconds(400))));

        Assert.InRange(taken, TimeSpan.FromMilliseconds(900), Hang);
        Assert.Equal(["/1", "/2"], kept!.Values.Cast<Span>().Select(s => s.Path));
        Assert.True(kept.Steps > 0);
    }

    [Fact]
    public void Duration_counts_from_the_moment_at_which_the_agent_sees_something()
    {
        // Counted from the header, the time would be over before anything is attached.
        var kept = Run("""header; sleep 1.5; echo 'time=1 level=INFO msg="Beyla is tracing" processes=1' >&2; span 1; stay; span 2""",
            new RunLimits(typeof(Span), Duration: TimeSpan.FromSeconds(1)));

        Assert.Equal(["/1", "/2"], kept.Values.Cast<Span>().Select(s => s.Path));
    }

    [Fact]
    public void Duration_ends_an_agent_whose_log_does_not_come_through()
    {
        var kept = new Kept();
        new AgentRun(planted.Command("header; stay"), new RunLimits(typeof(Span), Duration: TimeSpan.FromMilliseconds(100)),
            kept, TimeSpan.FromSeconds(1)).Run(CancellationToken.None);

        Assert.Empty(kept.Values);
        Assert.Equal(0, LiveAgents.Count);
    }

    [Fact]
    public void Records_of_other_types_are_left_out()
    {
        var kept = Run(
            """header; span 1; printf '{"type":"flow","first":"2026-01-02T03:04:05Z","last":"2026-01-02T03:04:05Z","transport":6"""
                + ""","sourceAddress":"::1","destinationAddress":"::1","bytes":1,"packets":1}\n{"type":"later"}\n'; exit 0""");

        Assert.IsType<Span>(Assert.Single(kept.Values));
        Assert.Empty(kept.Problems);
        Assert.Contains(kept.Debugs, d => d.Contains("later", StringComparison.Ordinal));
    }

    [Fact]
    public void A_filter_decides_and_the_limit_counts_what_passed()
    {
        var kept = Run("header; for i in 1 2 3 4 5 6 7 8; do span $i; done; stay",
            new RunLimits(typeof(Span), MaximumCount: 2, Filter: s => ((Span)s).Record.Duration.TotalMicroseconds % 3 == 0));

        Assert.Equal(["/3", "/6"], kept.Values.Cast<Span>().Select(s => s.Path));
    }

    [Fact]
    public void A_stopped_caller_leaves_no_agent_behind()
    {
        using var stop = new CancellationTokenSource();
        var id = 0;
        var kept = new Kept { OnValue = v => { id = ((Span)v).ProcessId; stop.Cancel(); } };
        var taken = Timed.Run(() => Assert.ThrowsAny<OperationCanceledException>(() =>
            new AgentRun(planted.Command($"header; {SpanWithOwnId}; stay"), new RunLimits(typeof(Span)), kept).Run(stop.Token)));

        Assert.InRange(taken, TimeSpan.Zero, Hang);
        Assert.False(Planted.IsAlive(id));
    }

    [Fact]
    public void A_sink_that_throws_leaves_no_agent_behind()
    {
        var id = 0;
        var kept = new Kept
        {
            OnValue = v =>
            {
                id = ((Span)v).ProcessId;
                throw new InvalidOperationException("downstream");
            },
        };
        Assert.Throws<InvalidOperationException>(() =>
            new AgentRun(planted.Command($"header; {SpanWithOwnId}; while :; do span 1; done"), new RunLimits(typeof(Span)), kept)
                .Run(CancellationToken.None));

        Assert.False(Planted.IsAlive(id));
        Assert.Equal(0, LiveAgents.Count);
    }

    [Fact]
    public void An_agent_that_ignores_the_end_of_its_input_is_killed()
    {
        using var stop = new CancellationTokenSource();
        var id = 0;
        var begun = DateTime.UtcNow;
        var kept = new Kept
        {
            OnValue = v =>
            {
                id = ((Span)v).ProcessId;
                begun = DateTime.UtcNow;
                stop.Cancel();
            },
        };
        Assert.ThrowsAny<OperationCanceledException>(() =>
            new AgentRun(planted.Command($"trap '' TERM INT HUP; header; {SpanWithOwnId}; sleep 60 < /dev/null"),
                new RunLimits(typeof(Span)), kept).Run(stop.Token));

        Assert.InRange(DateTime.UtcNow - begun, TimeSpan.FromSeconds(1), Hang);
        Assert.False(Planted.IsAlive(id));
    }

    [Fact]
    public void What_the_agent_says_after_being_asked_to_stop_still_counts()
    {
        var kept = new Kept();
        AgentRun? run = null;
        kept = new Kept { OnValue = _ => run!.RequestFinish() };
        var command = planted.Command(
            """header; span 1; stay; span 2; printf '{"type":"counters","time":"2026-01-02T03:04:05Z","places":["""
                + """{"place":"printer","unit":"spans","produced":2,"emitted":2}]}\n'""");
        run = new AgentRun(command, new RunLimits(typeof(Span)), kept);
        run.Run(CancellationToken.None);

        Assert.True(run.WasAsked);
        Assert.Equal(2, kept.Values.Count);
        Assert.Equal(2, Assert.Single(kept.Counters).Places[0].Emitted);
    }

    [Fact]
    public void Loss_is_a_warning_and_a_summary_and_no_object()
    {
        var kept = Run(
            """header; printf '{"type":"counters","time":"2026-01-02T03:04:05Z","places":["""
                + """{"place":"sockets","unit":"events","produced":9,"emitted":4,"lost":5}]}\n'; exit 0""");

        Assert.Empty(kept.Values);
        Assert.Contains("lost 5 events at sockets", Assert.Single(kept.Warnings), StringComparison.Ordinal);
        Assert.Equal(5, Assert.Single(kept.Counters).Lost);
    }

    [Fact]
    public void Many_equal_warnings_are_one()
    {
        var kept = Run(
            "header; i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo 'time=1 level=WARN msg=\"ring is full\" n='$i >&2; done; "
                + "span 1; exit 0");

        Assert.Equal("ring is full n=1", Assert.Single(kept.Warnings));
    }

    [Fact]
    public void A_remedy_is_told_once_and_after_what_it_is_for()
    {
        var kept = Run(
            """header; for c in BPF PERFMON; do echo "time=1 level=WARN msg=\"CAP_$c is missing\" consequence=\"no spans\" """
                + """evidence=CapPrm fix=\"sudo setcap both\"" >&2; done; exit 0""");

        Assert.Equal(["CAP_BPF is missing: no spans", "Remedy: sudo setcap both", "CAP_PERFMON is missing: no spans"], kept.Warnings);
        Assert.Contains("CAP_BPF is missing: CapPrm", kept.Verboses);
    }

    [Fact]
    public void Different_warnings_from_one_place_are_all_told()
    {
        var kept = Run(
            """header; for k in a b a; do echo "time=1 level=WARN msg=Configuration warning=\"$k is unknown\"" >&2; done; exit 0""");

        Assert.Equal(["Configuration: a is unknown", "Configuration: b is unknown"], kept.Warnings);
    }

    [Fact]
    public async Task Agents_end_with_their_runspace_and_others_go_on()
    {
        var (mine, others) = (Guid.NewGuid(), Guid.NewGuid());
        var path = planted.Agent("trap '' TERM INT HUP; echo; sleep 60 < /dev/null");
        var own = Enumerable.Range(0, 3).Select(_ => AgentProcess.Start(new AgentCommand(path) { Owner = mine })).ToList();
        using var other = AgentProcess.Start(new AgentCommand(planted.Agent("stay", "other")) { Owner = others });
        foreach (var agent in own)
        {
            _ = await agent.Output.ReadAsync(new byte[1]);
        }

        var taken = Timed.Run(() => LiveAgents.StopAll(mine));

        Assert.InRange(taken, TimeSpan.FromSeconds(1), Hang);
        Assert.All(own, agent => Assert.False(Planted.IsAlive(agent.Id)));
        Assert.True(Planted.IsAlive(other.Id));
        Assert.Equal(1, LiveAgents.Count);
    }

    [Fact]
    public void Flows_that_go_on_are_added_up_when_asked()
    {
        const string flow =
            """printf '{"type":"flow","first":"2026-01-02T03:04:%sZ","last":"2026-01-02T03:04:%sZ","transport":6"""
            + ""","interfaceDirection":"egress","interface":"eth0","sourceAddress":"10.0.0.1","sourcePort":1"""
            + ""","destinationAddress":"10.0.0.2","destinationPort":%s,"bytes":10,"packets":1,"flags":2}\n' """;
        var kept = Run($"header; {flow} 05 06 80; {flow} 05 06 81; {flow} 07 08 80; exit 0", new RunLimits(typeof(Flow), Merge: true));

        var flows = kept.Values.Cast<Flow>().ToList();
        Assert.Equal([20L, 10L], flows.Select(f => f.Bytes));
        Assert.Equal(TimeSpan.FromSeconds(3), flows[0].Record.LastSeen - flows[0].Record.FirstSeen);
    }

    [Fact]
    public void Two_hundred_thousand_spans_pass_without_loss_and_without_growth()
    {
        var file = Path.Combine(planted.Folder, "spans");
        File.WriteAllLines(file, Enumerable.Range(0, 200_000).Select(i => string.Create(CultureInfo.InvariantCulture,
            $$"""{"type":"span","kind":"server","start":"2026-01-02T03:04:05.{{i:000000}}Z","durationUSec":{{i}}"""
                + $$""","method":"GET","path":"/{{i}}","status":200,"pid":1}""")));
        var next = 0L;
        var sink = new Counting(span => Assert.Equal(next++, (long)span.Record.Duration.TotalMicroseconds));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        new AgentRun(planted.Command($"header; cat {file}; exit 0"), new RunLimits(typeof(Span)), sink).Run(CancellationToken.None);

        Assert.Equal(200_000, next);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 8 << 20);
    }

    private const string SpanWithOwnId =
        """printf '{"type":"span","kind":"server","start":"2026-01-02T03:04:05Z","durationUSec":1,"pid":%d}\n' $$""";

    private Kept Run(string body, RunLimits? limits = null)
    {
        var kept = new Kept();
        new AgentRun(planted.Command(body), limits ?? new RunLimits(typeof(Span)), kept).Run(CancellationToken.None);
        return kept;
    }

    private sealed class Counting(Action<Span> onSpan) : IRunSink
    {
        public void Emit(object value) => onSpan((Span)value);

        public void Warn(string text) => Assert.Fail(text);

        public void Verbose(string text)
        {
        }

        public void Debug(string text)
        {
        }

        public void Report(AgentException problem) => Assert.Fail(problem.Message);

        public void Summary(AgentCounters counters)
        {
        }

        public void Progress(TimeSpan elapsed, TimeSpan total, long count)
        {
        }
    }
}

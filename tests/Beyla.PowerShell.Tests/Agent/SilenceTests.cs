using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

/// <summary>A run that gives nothing says why, once, and one that gives something says nothing.</summary>
public sealed class SilenceTests : IDisposable
{
    private const string Text = "No process matches -OpenPort 1 yet";

    private static readonly TimeSpan Early = TimeSpan.FromSeconds(0.9);
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1.1);
    private static readonly TimeSpan VeryLate = TimeSpan.FromSeconds(9);

    private readonly Planted planted = new();

    public void Dispose() => planted.Dispose();

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(12, false)]
    public void No_process_at_the_start_is_told_after_a_second_once(int processes, bool told)
    {
        var silence = new SelectionSilence(Text);
        silence.OnLog(LogLine.Parse($"time=1 level=INFO msg=\"Beyla is tracing\" source=Tracepoints processes={processes}"));

        Assert.Null(silence.Tell(Early, ending: false));
        Assert.Equal(told ? Text : null, silence.Tell(Late, ending: false));
        Assert.Null(silence.Tell(VeryLate, ending: false));
    }

    [Fact]
    public void A_process_that_comes_in_the_first_second_is_enough()
    {
        var silence = new SelectionSilence(Text);
        silence.OnLog(LogLine.Parse("time=1 level=INFO msg=\"Beyla is tracing\" processes=0"));
        silence.OnLog(LogLine.Parse("time=1 level=INFO msg=\"Tracing process\" pid=4 service=shop"));

        Assert.Null(silence.Tell(Late, ending: true));
    }

    [Fact]
    public void A_run_that_is_over_sooner_says_it_at_its_end()
    {
        var kept = new Kept();
        new AgentRun(planted.Command("""header; echo 'time=1 level=INFO msg="Beyla is tracing" processes=0' >&2; stay"""),
            new RunLimits(typeof(Span), Duration: TimeSpan.FromMilliseconds(100), Silence: new SelectionSilence(Text)), kept)
            .Run(CancellationToken.None);

        Assert.Equal([Text], kept.Warnings);
    }

    [Fact]
    public void A_run_without_end_says_it_too()
    {
        var kept = new Kept();
        AgentRun? run = null;
        var sink = new Asking(kept, () => run!.RequestFinish());
        run = new AgentRun(planted.Command("""header; echo 'time=1 level=INFO msg="Beyla is tracing" processes=0' >&2; stay"""),
            new RunLimits(typeof(Span), Silence: new SelectionSilence(Text)), sink);
        run.Run(CancellationToken.None);

        Assert.Equal([Text], kept.Warnings);
    }

    [Theory]
    [InlineData(0, false, false, false)] // nothing went through lo
    [InlineData(0, true, false, false)]
    [InlineData(5, false, false, true)]
    [InlineData(5, true, false, true)]
    [InlineData(5, false, true, false)] // flows were shown
    [InlineData(5, true, true, true)] // 4 packets were handed on, and what became of them is not known
    [InlineData(4, true, true, false)]
    public void Traffic_on_loopback_is_told_of(int packets, bool isFiltered, bool shown, bool told)
    {
        Loopback(1000);
        var silence = new LoopbackSilence(TimeSpan.FromSeconds(1), isFiltered, planted.Folder);
        Loopback(1000 + packets);
        if (shown)
        {
            silence.OnResult(FlowOfFourPackets());
        }

        Assert.Null(silence.Tell(Early, ending: false));
        var text = silence.Tell(VeryLate, ending: false);
        Assert.Equal(told, text is not null);
        if (told)
        {
            Assert.Equal($"The loopback interface is left out, and {packets} packets went through it; -Interface lo shows them.", text);
        }

        Loopback(9000);
        Assert.Equal(!told && !(shown && !isFiltered), silence.Tell(VeryLate + Late, ending: true) is not null);
    }

    [Fact]
    public void What_is_shown_at_the_end_is_waited_for()
    {
        Loopback(0);
        var one = new LoopbackSilence(null, isFiltered: false, planted.Folder);
        var other = new LoopbackSilence(null, isFiltered: false, planted.Folder);
        Loopback(9);

        Assert.Null(one.Tell(VeryLate, ending: false));
        Assert.NotNull(one.Tell(VeryLate, ending: true));
        other.OnResult(FlowOfFourPackets());
        Assert.Null(other.Tell(VeryLate, ending: true));
    }

    [Fact]
    public void Without_a_table_of_interfaces_nothing_is_said() =>
        Assert.Null(new LoopbackSilence(TimeSpan.FromSeconds(1), isFiltered: true, planted.Folder).Tell(VeryLate, ending: true));

    private object FlowOfFourPackets()
    {
        var kept = new Kept();
        var command = planted.Command(
            """header; printf '{"type":"flow","first":"2026-01-02T03:04:05Z","last":"2026-01-02T03:04:06Z","transport":6"""
                + ""","sourceAddress":"::1","destinationAddress":"::1","bytes":400,"packets":4}\n'; exit 0""");
        new AgentRun(command, new RunLimits(typeof(Flow)), kept).Run(CancellationToken.None);
        return Assert.Single(kept.Values);
    }

    // proc_pid_net(5)
    private void Loopback(long packets)
    {
        var bytes = packets * 60;
        Directory.CreateDirectory(Path.Combine(planted.Folder, "net"));
        File.WriteAllText(Path.Combine(planted.Folder, "net/dev"), $"""
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
              eth0: 77 99999 0 0 0 0 0 0 11 22 0 0 0 0 0 0
                lo:{bytes} {packets}    0    0    0     0          0         0 {bytes} {packets}    0    0    0     0       0          0

            """);
    }

    /// <summary>Asks for the end with the first warning.</summary>
    private sealed class Asking(Kept kept, Action ask) : IRunSink
    {
        public void Emit(object value) => kept.Emit(value);

        public void Warn(string text)
        {
            kept.Warn(text);
            ask();
        }

        public void Verbose(string text) => kept.Verbose(text);

        public void Debug(string text) => kept.Debug(text);

        public void Report(AgentException problem) => kept.Report(problem);

        public void Summary(AgentCounters counters) => kept.Summary(counters);

        public void Progress(TimeSpan elapsed, TimeSpan total, long count) => kept.Progress(elapsed, total, count);
    }
}

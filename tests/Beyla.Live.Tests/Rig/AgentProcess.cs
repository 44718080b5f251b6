using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit.Sdk;

namespace Beyla.Live.Tests.Rig;

/// <summary>
/// The agent under test. Its stream is read all the time; stopping it asserts what holds for every run: exit code 0, counters whose sums
/// agree, and nothing lost unless the test says so.
/// </summary>
internal sealed class AgentProcess : ChildProcess
{
    private readonly ConcurrentQueue<Span> spans = new();
    private readonly ConcurrentQueue<Flow> flows = new();
    private readonly ConcurrentQueue<string> unreadable = new();
    private readonly ConcurrentQueue<SpanRecord>? records;
    private readonly bool json;
    private volatile bool ready;

    private AgentProcess(Process process, AgentSettings settings)
        : base(process)
    {
        this.json = settings.Printer == "json" && !settings.ReadsAsText;
        this.records = settings.ReadsRecords ? new ConcurrentQueue<SpanRecord>() : null;
    }

    /// <summary>The spans seen so far.</summary>
    public IReadOnlyCollection<Span> Spans => spans;

    /// <summary>The spans seen so far as <see cref="AgentSettings.ReadsRecords"/> asks for them.</summary>
    public IReadOnlyCollection<SpanRecord> Records => this.records ?? throw new InvalidOperationException("Records are not read.");

    /// <summary>The flows seen so far.</summary>
    public IReadOnlyCollection<Flow> Flows => flows;

    /// <summary>The counters printed last, by place and unit, and the first of a place by the place alone.</summary>
    public IReadOnlyDictionary<string, PlaceCount> Counters => AgentLog.LastCounters(ErrorLines);

    /// <summary>The counters at the end of the stream, or null.</summary>
    public AgentCounters? LastLine { get; private set; }

    /// <summary>Its child, which reads and decodes.</summary>
    public int WorkerPid => ChildProcessIds.Of(Pid).Single(
        static pid => File.ReadAllText($"/proc/{pid}/comm").TrimEnd() == "beyla: worker");

    /// <summary>Neither of its processes runs, until <see cref="Resume"/>.</summary>
    public void Pause() => SignalBoth(SIGSTOP);

    /// <summary>Takes back <see cref="Pause"/>.</summary>
    public void Resume() => SignalBoth(SIGCONT);

    /// <summary>Starts the agent and waits until it traces.</summary>
    public static async Task<AgentProcess> StartAsync(AgentSettings settings)
    {
        AgentProcess agent = Launch(settings);
        if (await Wait.UntilAsync(() => agent.ready || agent.HasExited, Wait.Hang) && agent.ready)
        {
            return agent;
        }

        string state = agent.HasExited
            ? $"ended with {await agent.WaitForExitAsync(TimeSpan.FromSeconds(1))}" : $"is not tracing after {Wait.Hang.TotalSeconds} s";
        string errors = agent.Errors;
        await agent.DisposeAsync();
        throw new XunitException($"The agent {state}:\n{errors}");
    }

    /// <summary>Starts the agent without waiting for anything.</summary>
    public static AgentProcess Launch(AgentSettings settings)
    {
        if (!File.Exists(settings.Binary))
        {
            throw new FileNotFoundException($"{settings.Binary} is not there: ./build.sh build, then test again.");
        }

        List<string> command = [.. settings.Prefix, settings.Binary, .. settings.Arguments];
        string file = command[0].Contains('/') ? command[0] : Tool.Find(command[0]);
        AgentProcess agent = new(StartProcess(file, command.Skip(1), settings.Environment), settings);
        if (settings.ReadsOutput)
        {
            agent.ReadOutput();
        }

        return agent;
    }

    /// <summary>
    /// Waits until <paramref name="count"/> spans have arrived that satisfy a condition, and a moment longer for any that should not come.
    /// </summary>
    /// <exception cref="XunitException">Another number arrived.</exception>
    public async Task<IReadOnlyList<Span>> WaitForSpansAsync(int count, Func<Span, bool> which, TimeSpan? timeout = null)
    {
        await Wait.UntilAsync(() => spans.Count >= count && spans.Count(which) >= count, timeout ?? Wait.Hang);
        await Task.Delay(100);
        Span[] seen = [.. spans.Where(which)];
        if (seen.Length == count)
        {
            return seen;
        }

        if (!HasExited)
        {
            Signal(SIGUSR1);
        }

        await Task.Delay(200);
        throw new XunitException(
            $"Expected {count} spans, got {seen.Length} (of {spans.Count} in all).\nLast:\n{string.Join('\n', spans.TakeLast(5))}\n"
            + $"Unreadable: {string.Join('\n', unreadable.Take(3))}\nLog of the agent:\n{Errors}");
    }

    /// <summary>
    /// Waits until <paramref name="count"/> records have arrived that satisfy a condition, and a moment longer for any that should not
    /// come.
    /// </summary>
    /// <exception cref="XunitException">Another number arrived.</exception>
    public async Task<IReadOnlyList<SpanRecord>> WaitForRecordsAsync(int count, Func<SpanRecord, bool> which)
    {
        await Wait.UntilAsync(() => HasExited || (Records.Count >= count && Records.Count(which) >= count), Wait.Hang);
        await Task.Delay(200);
        SpanRecord[] seen = [.. Records.Where(which)];
        return seen.Length == count ? seen : throw new XunitException(
            $"Expected {count} spans, got {seen.Length} (of {Records.Count} in all).\n{SpanRecord.Summarise(Records)}\n"
            + $"Unreadable: {string.Join('\n', unreadable.Take(3))}\nLog of the agent:\n{Errors}");
    }

    /// <summary>Whether the agent has said that it traces a process.</summary>
    public bool Traces(int pid)
    {
        string line = $"msg=\"Tracing process\" pid={pid} ";
        return ErrorLines.Any(text => text.Contains(line, StringComparison.Ordinal));
    }

    /// <summary>Waits until it says so: whatever the process does from then on is seen.</summary>
    public async Task WaitUntilTracedAsync(int pid) =>
        Assert.True(await Wait.UntilAsync(() => Traces(pid) || HasExited, Wait.Hang) && Traces(pid), Errors);

    /// <summary>Waits for exactly <paramref name="count"/> server spans, in the order in which they ended.</summary>
    public Task<IReadOnlyList<Span>> WaitForServerSpansAsync(int count, TimeSpan? timeout = null) =>
        WaitForSpansAsync(count, span => span.Kind == SpanKind.Server, timeout);

    /// <summary>Waits for exactly <paramref name="count"/> client spans.</summary>
    public Task<IReadOnlyList<Span>> WaitForClientSpansAsync(int count, TimeSpan? timeout = null) =>
        WaitForSpansAsync(count, span => span.Kind == SpanKind.Client, timeout);

    /// <summary>Waits for the only server span.</summary>
    public async Task<Span> WaitForServerSpanAsync() => Assert.Single(await WaitForServerSpansAsync(1));

    /// <summary>Ends the agent by a signal and asserts that it ended well.</summary>
    /// <param name="signal">SIGINT or SIGTERM.</param>
    /// <param name="mayLose">Places at which the test makes the agent drop.</param>
    public async Task StopAsync(int signal = SIGINT, params string[] mayLose)
    {
        Signal(signal);
        AssertEndedWell(await WaitForExitAsync(Wait.Hang), mayLose);
    }

    /// <summary>Asserts an exit code of 0, a readable stream and counters that agree with each other and with the stream.</summary>
    public void AssertEndedWell(int status, params string[] mayLose)
    {
        Assert.True(status == 0, $"The agent ended with {status}:\n{Errors}");
        Assert.True(unreadable.IsEmpty, $"The stream holds lines that cannot be read: {string.Join('\n', unreadable.Take(3))}");
        Assert.DoesNotContain(ErrorLines, line => line.Contains("level=ERROR", StringComparison.Ordinal));
        IReadOnlyDictionary<string, PlaceCount> counters = Counters;
        Assert.True(counters.Count > 0, $"The agent printed no counters:\n{Errors}");
        foreach (PlaceCount count in counters.Values)
        {
            Assert.True(count.Balanced, $"The sum does not agree: {AgentLog.Describe(count)}");
            Assert.True(count.Lost == 0 || mayLose.Contains(count.Place), $"Lost: {AgentLog.Describe(count)}\n{Errors}");
        }

        AssertHandedOn(counters);
        if (this.records is not null && counters.TryGetValue("printer", out PlaceCount? written))
        {
            Assert.Equal(written.Emitted, this.records.Count);
        }

        if (!this.json || this.records is not null)
        {
            return;
        }

        Assert.True(LastLine is not null, "The stream does not end with its counters.");
        if (counters.TryGetValue("printer", out PlaceCount? printer) && printer.Unit == "spans")
        {
            Assert.Equal(printer.Emitted, spans.Count);
        }
    }

    private void SignalBoth(int signal)
    {
        Signal(WorkerPid, signal);
        Signal(signal);
    }

    /// <summary>What one place handed on has reached the next.</summary>
    private static void AssertHandedOn(IReadOnlyDictionary<string, PlaceCount> counters)
    {
        // Where routes are shown or conditions are set, requests are left out between the two.
        string shown = counters.ContainsKey("routes") ? "routes" : "spans";
        string before = counters.ContainsKey("filter") ? "filter" : shown;
        string chosen = counters.ContainsKey("exports.traces") ? "exports.traces" : "export";
        string routed = counters.ContainsKey("routes.traces") ? "routes.traces" : chosen;
        string passed = counters.ContainsKey("filter.traces") ? "filter.traces" : routed;
        string sent = counters.ContainsKey("instrumented.traces") ? "instrumented.traces" : passed;
        foreach ((string from, string to) in new[]
        {
            ("sockets", "tracing"), ("exchanges", "spans"), ("spans", "routes"), (shown, "filter"), (before, "printer"),
            ("spans", "export"), ("export", "exports.traces"), (chosen, "routes.traces"), (routed, "filter.traces"),
            (passed, "instrumented.traces"), (sent, "otlp.traces"), ("flows", "filter.flows"), ("filter.flows", "printer"),
        })
        {
            if (counters.TryGetValue(from, out PlaceCount? left)
                && counters.TryGetValue(to, out PlaceCount? reached) && reached.Unit == left.Unit)
            {
                Assert.True(left.Emitted == reached.Produced, $"{AgentLog.Describe(left)}, but {AgentLog.Describe(reached)}");
            }
        }
    }

    protected override void ReadLines(StreamReader output)
    {
        if (!this.json)
        {
            base.ReadLines(output);
            return;
        }

        if (this.records is not null)
        {
            ReadRecords(output, this.records);
            return;
        }

        using AgentStream stream = new(output.BaseStream);
        while (stream.TryRead(out StreamLine line))
        {
            if (line.Span is { } span)
            {
                spans.Enqueue(span);
            }
            else if (line.Flow is { } flow)
            {
                flows.Enqueue(flow);
            }
            else if (line.Value is AgentCounters counters)
            {
                LastLine = counters;
            }
            else if (line.Error is { } error)
            {
                unreadable.Enqueue($"line {error.Line}: {error.Kind}, {error.Message}: {error.Excerpt}");
            }
        }
    }

    private void ReadRecords(StreamReader output, ConcurrentQueue<SpanRecord> records)
    {
        while (output.ReadLine() is { } line)
        {
            try
            {
                if (SpanRecord.Read(line) is { } record)
                {
                    records.Enqueue(record);
                }
            }
            catch (System.Text.Json.JsonException e)
            {
                unreadable.Enqueue($"{e.Message}: {line}");
            }
        }
    }

    protected override void OnError(string line)
    {
        base.OnError(line);
        if (line.Contains(AgentLog.Ready, StringComparison.Ordinal))
        {
            ready = true;
        }
    }
}

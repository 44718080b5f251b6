using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Beyla.Agent.Capabilities;
using Beyla.Live.Tests.Capabilities;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>What <c>beyla export</c> does with damage, with receivers that do not take what it has, and with its own rights.</summary>
public sealed partial class RecordingFailureTests
{
    [LiveFact]
    public async Task A_bad_line_is_named_and_loses_only_itself()
    {
        using TempDirectory files = new();
        string recording = files.Write(
            "recording.jsonl", $"{Line(1)}\nno json\n{Line(2)}\n\n{Line(3)[..100]}\n{Line(4)}\n{{\"type\":\"other\"}}\n");
        ExportCommand run = await ExportCommand.RunAsync(recording, ["--to", "otlp-json"]);

        Assert.Equal((1, "beyla: exported 3 spans, lost 2: 2 bad lines"), (run.Status, run.Summary));
        Assert.Equal([Id(1), Id(2), Id(4)], run.Spans.Select(span => span.SpanId));
        string[] warnings = [.. run.Errors.Where(line => line.Contains("level=WARN", StringComparison.Ordinal))];
        Assert.Equal(2, warnings.Length);
        Assert.Contains(" line=2 ", warnings[0], StringComparison.Ordinal);
        Assert.Contains(" line=5 ", warnings[1], StringComparison.Ordinal);
    }

    /// <summary>
    /// A hundred thousand are there, each once, although nobody reads them at first: the recording is read no further than what is being
    /// written.
    /// </summary>
    [LiveFact]
    public async Task No_span_of_a_large_recording_is_lost()
    {
        const int count = 100_000;
        using TempDirectory files = new();
        string recording = Path.Combine(files.Path, "recording.jsonl");
        await File.WriteAllLinesAsync(recording, Enumerable.Range(1, count).Select(Line));
        await using AgentProcess export = AgentProcess.Launch(
            Reading("--to", "otlp-json") with { Prefix = ExportCommand.With(recording), ReadsOutput = false });
        string position = $"/proc/{export.Pid}/fdinfo/0";
        Assert.True(await Wait.UntilAsync(() => Position() > 0, Wait.Hang), export.Errors);
        await Task.Delay(500);
        // Two batches of 512 lines of some 700 bytes, and what a buffer holds.
        Assert.InRange(Position(), 1, 4_000_000);

        export.ReadOutput();
        Assert.Equal(0, await export.WaitForExitAsync(Wait.Hang));
        Assert.Equal("beyla: exported 100000 spans", Assert.Single(export.ErrorLines));
        Assert.Equal(
            Enumerable.Range(1, count).Select(Id),
            export.OutputLines.SelectMany(line => SpanId().Matches(line)).Select(id => id.Groups[1].Value));

        // The first line of proc_pid_fdinfo(5): "pos:", a tab, the number.
        long Position() => long.Parse(File.ReadLines(position).First().Split('\t')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>A queue of the agent would have run over; the recording can wait.</summary>
    [LiveFact("otlp-receiver")]
    public async Task A_receiver_that_is_busy_gets_all()
    {
        const int count = 5_000;
        using TempDirectory files = new();
        string recording = Path.Combine(files.Path, "recording.jsonl");
        await File.WriteAllLinesAsync(recording, Enumerable.Range(1, count).Select(Line));
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(OtlpAnswer.Code(503) with { Times = 3 }, new OtlpAnswer { Delay = 200, Times = 5 });
        ExportCommand run = await ExportCommand.RunAsync(
            recording, [], ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.HttpUrl), ("BEYLA_BACKOFF_INITIAL_INTERVAL", "100ms"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100"), ("OTEL_BSP_MAX_QUEUE_SIZE", "200"));

        Assert.Equal((0, $"beyla: exported {count} spans"), (run.Status, run.Summary));
        IReadOnlyList<OtlpSpan> spans = await receiver.WaitForSpansAsync(count);
        Assert.Equal(Enumerable.Range(1, count).Select(Id).Order(), spans.Select(span => span.SpanId).Order());
    }

    [LiveFact("otlp-receiver")]
    public async Task What_is_refused_is_counted_and_said()
    {
        using TempDirectory files = new();
        string recording = files.Write("recording.jsonl", string.Concat(Enumerable.Range(1, 30).Select(i => Line(i) + "\n")));
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await receiver.AnswerAsync(OtlpAnswer.Code(400));
        ExportCommand run = await ExportCommand.RunAsync(
            recording, [], ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.HttpUrl), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"));

        Assert.Equal(1, run.Status);
        Assert.StartsWith("beyla: exported 20 spans, lost 10: ", run.Summary, StringComparison.Ordinal);
        Assert.Contains("400", run.Summary, StringComparison.Ordinal);
        Assert.Equal(20, receiver.Spans.Count);
    }

    [LiveFact]
    public async Task Where_nobody_listens_all_is_lost()
    {
        using TempDirectory files = new();
        string recording = files.Write("recording.jsonl", string.Concat(Enumerable.Range(1, 30).Select(i => Line(i) + "\n")));
        // Held, and nobody listens.
        using Socket taken = new(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        ExportCommand run = await ExportCommand.RunAsync(
            recording, [], ("OTEL_EXPORTER_OTLP_ENDPOINT", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"));

        Assert.Equal(1, run.Status);
        Assert.Matches("^beyla: exported 0 spans, lost 30: 30 not taken by http://127.0.0.1:[0-9]+/v1/traces ", run.Summary);
    }

    [LiveFact]
    public async Task Wrong_use_is_told_apart()
    {
        using TempDirectory files = new();
        string recording = files.Write("recording.jsonl", Line(1) + "\n");
        foreach ((string[] arguments, string word) in ((string[], string)[])
            [([], "OTEL_EXPORTER_OTLP_ENDPOINT"), (["--to", "paper"], "paper"), (["--to"], "--to"), (["--form", "x"], "--form"),
                (["file"], "file"), (["--to", "prometheus", "--set", "metrics.features=network"], "metrics.features"),
                (["--to", "otlp-json", "--set", "open_port=eighty"], "eighty")])
        {
            ExportCommand run = await ExportCommand.RunAsync(recording, arguments);
            Assert.Equal(2, run.Status);
            Assert.Contains(word, Assert.Single(run.Errors), StringComparison.Ordinal);
            Assert.Empty(run.Lines);
        }

        ExportCommand help = await ExportCommand.RunAsync(recording, ["--help"]);
        Assert.Equal(0, help.Status);
        Assert.Contains("--to prometheus", help.Page, StringComparison.Ordinal);
    }

    [LiveFact]
    public async Task An_interrupt_ends_it_in_order()
    {
        await using AgentProcess export = AgentProcess.Launch(Reading("--to", "otlp-json"));
        export.WriteLine(Line(1));
        Assert.True(await Wait.UntilAsync(() => export.OutputLines.Any(), Wait.Hang), export.Errors);
        export.Signal(ChildProcess.SIGINT);

        Assert.Equal(1, await export.WaitForExitAsync(Wait.Hang));
        Assert.Equal(
            "beyla: exported 1 spans, lost 0: stopped before the end of the recording (SIGINT)", export.ErrorLines.Last());
        Assert.Single(export.OutputLines);
    }

    [LiveFact]
    public async Task A_reader_that_goes_away_ends_it()
    {
        await using AgentProcess export = AgentProcess.Launch(Reading("--to", "otlp-json") with { ReadsOutput = false });
        export.CloseOutput();
        export.WriteLine(Line(1));

        Assert.Equal(1, await export.WaitForExitAsync(Wait.Hang));
        Assert.StartsWith(
            "beyla: exported 0 spans, lost 1: 1 not taken by standard output", export.ErrorLines.Last(), StringComparison.Ordinal);
    }

    /// <summary>As root, and as an ordinary user with an agent that has file capabilities: no thread holds any when it reads.</summary>
    [LiveTheory("setcap", "setpriv")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_holds_no_capability(bool isRoot)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("cap_bpf,cap_perfmon,cap_net_admin,cap_sys_ptrace", "ep");
        AgentSettings settings = Reading("--to", "otlp-json");
        await using AgentProcess export = AgentProcess.Launch(isRoot ? settings : user.Run(settings));
        export.WriteLine(Line(1));
        // What it has written it has read.
        Assert.True(await Wait.UntilAsync(() => export.OutputLines.Any(), Wait.Hang), export.Errors);

        int threads = 0;
        foreach (string thread in Directory.GetDirectories($"/proc/{export.Pid}/task"))
        {
            string status;
            try
            {
                status = await File.ReadAllTextAsync(Path.Combine(thread, "status"));
            }
            catch (IOException) when (!Directory.Exists(thread))
            {
                continue; // it has ended meanwhile
            }

            threads++;
            ProcessCapabilities held = ProcessCapabilities.Parse(status);
            Assert.True(
                held.Effective.IsEmpty && held.Permitted.IsEmpty && held.Inheritable.IsEmpty && held.Ambient.IsEmpty, status);
            Assert.Contains("\nNoNewPrivs:\t1\n", status, StringComparison.Ordinal);
        }

        Assert.True(threads > 1, $"{threads} threads were looked at");
        export.CloseInput();
        Assert.Equal(0, await export.WaitForExitAsync(Wait.Hang));
        Assert.Equal(["beyla: exported 1 spans"], export.ErrorLines);
    }

    /// <summary>It reads from a pipe, and what it has read goes soon.</summary>
    private static AgentSettings Reading(params string[] arguments) => new AgentSettings
    {
        Arguments = ["export", .. arguments], ReadsAsText = true,
    }.With("OTEL_BSP_SCHEDULE_DELAY", "50");

    private static string Id(int number) => number.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>A line as docs/stream.md has it.</summary>
    private static string Line(int number) => $$$"""
        {"type":"span","kind":"server","protocol":"http","name":"GET","outcome":"complete","start":"2026-08-20T08:11:12.820111Z",
        "handlerStart":"2026-08-20T08:11:12.820811Z","end":"2026-08-20T08:11:12.822011Z","durationUSec":1900,"handlerDurationUSec":1200,
        "clientAddress":"10.0.0.1","clientPort":46876,"serverAddress":"10.0.0.2","serverPort":3040,"tid":4712,
        "networkNamespace":4026531840,"connection":"1f2e3d","pid":4711,"executable":"/usr/bin/dotnet","serviceName":"web",
        "language":"dotnet","traceId":"{{{number.ToString("x32", CultureInfo.InvariantCulture)}}}","spanId":"{{{Id(number)}}}",
        "traceFlags":1,"attributes":{"http.request.method":"GET","url.path":"/users","http.response.status_code":200}}
        """.ReplaceLineEndings("");

    [GeneratedRegex("\"spanId\":\"([0-9a-f]{16})\"")]
    private static partial Regex SpanId();
}

using System.IO.Pipes;
using System.Text;
using System.Text.Json;
using Beyla.Agent.Export.Otlp;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>Two signals share one output: lines are whole, and behind a piece of one nothing comes.</summary>
public sealed class OneAtATimeTests
{
    // Field 1, empty: one resource of which nothing is said, in requests of both signals.
    private static readonly byte[] Small = [0x0a, 0x00];

    [Fact]
    public async Task Lines_of_two_threads_are_whole()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        var descriptor = (int)pipe.ClientSafePipeHandle.DangerousGetHandle();
        var turn = new OutputTurn();
        var request = new byte[2 * 30_000];
        for (var i = 0; i < request.Length; i++)
        {
            request[i] = Small[i % 2]; // 30,000 empty resources: some 90 KB of JSON, more than a pipe holds
        }

        var writers = Enumerable.Range(0, 2).Select(number => Task.Run(() =>
        {
            using var way = new OneAtATime(
                new OtlpJsonLines(descriptor, number == 0 ? OtlpSignal.Traces : OtlpSignal.Metrics, static () => { }), turn);
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(OtlpVerdict.Taken, way.Send(request, CancellationToken.None).Verdict);
            }
        })).ToArray();
        using var reader = new StreamReader(pipe, Encoding.UTF8);
        Dictionary<string, int> lines = [];
        for (var i = 0; i < 40; i++)
        {
            using var line = JsonDocument.Parse((await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)))!);
            var field = line.RootElement.EnumerateObject().Single();
            Assert.Equal(30_000, field.Value.GetArrayLength());
            lines[field.Name] = lines.GetValueOrDefault(field.Name) + 1;
        }

        await Task.WhenAll(writers);
        Assert.Equal([("resourceMetrics", 20), ("resourceSpans", 20)], lines.Select(static pair => (pair.Key, pair.Value)).Order());
    }

    [Fact]
    public void Behind_a_request_that_could_not_be_ended_nothing_comes()
    {
        var turn = new OutputTurn();
        using var torn = new OneAtATime(new Way(OtlpVerdict.Refused), turn);
        var next = new Way(OtlpVerdict.Taken);
        using var after = new OneAtATime(next, turn);
        Assert.Equal(OtlpVerdict.Taken, after.Send(Small, CancellationToken.None).Verdict);
        Assert.Equal(OtlpVerdict.Refused, torn.Send(Small, CancellationToken.None).Verdict);
        Assert.Equal(OtlpVerdict.Refused, after.Send(Small, CancellationToken.None).Verdict);
        Assert.Equal(1, next.Sent);
    }

    [Fact]
    public void Who_waits_for_his_turn_can_be_told_to_end()
    {
        var turn = new OutputTurn();
        Assert.True(turn.TryTake(CancellationToken.None));
        var next = new Way(OtlpVerdict.Taken);
        using var limit = new CancellationTokenSource();
        OtlpAnswer answer = default;
        var waiting = new Thread(() =>
        {
            using var way = new OneAtATime(next, turn);
            answer = way.Send(Small, limit.Token);
        });
        waiting.Start();
        limit.Cancel();
        waiting.Join();
        Assert.Equal((OtlpVerdict.Refused, 0), (answer.Verdict, next.Sent));
        turn.GiveBack(isWhole: true);
        Assert.True(turn.TryTake(CancellationToken.None));
        turn.GiveBack(isWhole: true);
    }

    private sealed class Way(OtlpVerdict verdict) : IOtlpTransport
    {
        public string Target => "test";

        public int Sent { get; private set; }

        public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
        {
            Sent++;
            return new OtlpAnswer(verdict);
        }

        public void Dispose()
        {
        }
    }
}

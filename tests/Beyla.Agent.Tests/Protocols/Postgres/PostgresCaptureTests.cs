namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>Recordings of real clients and servers give the spans of what the clients were told to do, however they are cut.</summary>
public class PostgresCaptureTests
{
    public static TheoryData<string, bool> Names => Of(PostgresCase.All);

    public static TheoryData<string, bool> SmallNames => Of(PostgresCase.Small);

    [Theory]
    [MemberData(nameof(Names))]
    public void Whole(string name, bool isServer)
    {
        var rig = new PostgresRig(isServer);
        Check(rig, PostgresCase.Find(name), (step, data) => rig.Play(step, data));
        Assert.All(rig.Kinds, kind => Assert.Equal(isServer ? SpanKind.Server : SpanKind.Client, kind));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ByteByByte(string name, bool isServer) => InPieces(name, isServer, 1);

    [Theory]
    [MemberData(nameof(Names))]
    public void InPiecesOfSeven(string name, bool isServer) => InPieces(name, isServer, 7);

    [Theory]
    [MemberData(nameof(SmallNames))]
    public void CutAtEachIndex(string name, bool isServer)
    {
        var recording = PostgresCase.Find(name);
        var rig = new PostgresRig(isServer);
        var total = recording.Steps.Sum(s => s.Data.Length);
        for (var cut = 1; cut < total; cut++)
        {
            var left = cut;
            Check(rig, recording, (step, data) =>
            {
                var at = Math.Clamp(left, 0, data.Length);
                left -= data.Length;
                rig.Play(step, data.AsSpan(0, at));
                rig.Play(step, data.AsSpan(at));
            });
        }
    }

    /// <summary>Two operations become one where the same side goes on: messages come together, or their ends with others.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Joined(string name, bool isServer)
    {
        var recording = PostgresCase.Find(name);
        List<PostgresStep> joined = [];
        foreach (var step in recording.Steps)
        {
            if (joined.Count > 0 && joined[^1].From == step.From)
            {
                joined[^1] = step with { Data = [.. joined[^1].Data, .. step.Data] };
            }
            else
            {
                joined.Add(step);
            }
        }

        var rig = new PostgresRig(isServer);
        Check(rig, recording with { Steps = [.. joined] }, (step, data) => rig.Play(step, data));
    }

    /// <summary>Of each operation but small ones only the first and the last bytes are seen.</summary>
    [Theory]
    [InlineData("libpq-big", 2048, 1024, 128)]
    [InlineData("libpq-big", 8191, 4096, 128)]
    public void RowsUnseen(string name, int whole, int head, int tail)
    {
        var rig = new PostgresRig { Capture = (whole, head, tail) };
        Check(rig, PostgresCase.Find(name), (step, data) => rig.Play(step, data));
    }

    /// <summary>No value, and nothing of a password, is in any text.</summary>
    [Fact]
    public void NothingSecretIsShown()
    {
        foreach (var recording in PostgresCase.All)
        {
            var rig = new PostgresRig();
            Check(rig, recording, (step, data) => rig.Play(step, data));
            Assert.All(rig.Spans, span => Assert.DoesNotContain("secret payload", span, StringComparison.Ordinal));
            Assert.All(rig.Spans, span => Assert.DoesNotContain("hunter2", span, StringComparison.Ordinal));
            Assert.All(rig.Spans, span => Assert.DoesNotContain("SCRAM", span, StringComparison.Ordinal));
        }
    }

    private static TheoryData<string, bool> Of(IEnumerable<PostgresCase> cases)
    {
        TheoryData<string, bool> data = [];
        foreach (var recording in cases)
        {
            data.Add(recording.Name, true);
            data.Add(recording.Name, false);
        }

        return data;
    }

    private static void InPieces(string name, bool isServer, int size)
    {
        var rig = new PostgresRig(isServer);
        Check(rig, PostgresCase.Find(name), (step, data) =>
        {
            for (var at = 0; at < data.Length; at += size)
            {
                rig.Play(step, data.AsSpan(at, Math.Min(size, data.Length - at)));
            }
        });
    }

    private static void Check(PostgresRig rig, PostgresCase recording, Action<PostgresStep, byte[]> play)
    {
        rig.Spans.Clear();
        foreach (var step in recording.Steps)
        {
            play(step, step.Data);
        }

        rig.Close();
        Assert.Equal(recording.Spans, rig.Spans);
        rig.AssertSettled();
    }
}

using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>The same bytes give the same spans, however they are cut into operations.</summary>
public class HttpCutTests
{
    public static TheoryData<string> Names => [.. HttpCorpus.All.Select(c => c.Name)];

    public static TheoryData<string> LargeNames => [.. HttpCorpus.Large.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Whole(string name) => Check(Find(name), (_, data, write) => write(data));

    [Theory]
    [MemberData(nameof(Names))]
    public void ByteByByte(string name) => Check(Find(name), (_, data, write) => InPieces(data, 1, write));

    [Theory]
    [MemberData(nameof(Names))]
    public void CutAtEachIndex(string name)
    {
        var exchange = Find(name);
        var total = exchange.Steps.Sum(s => s.Data.Length);
        for (var cut = 1; cut < total; cut++)
        {
            var at = cut;
            Check(exchange, (before, data, write) =>
            {
                var index = at - before;
                if (index > 0 && index < data.Length)
                {
                    write(data[..index]);
                    write(data[index..]);
                }
                else
                {
                    write(data);
                }
            });
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void OverTheEndOfTheSequenceNumbers(string name)
    {
        var exchange = Find(name);
        for (var before = 0; before < 120; before++)
        {
            Check(exchange, (_, data, write) => InPieces(data, 7, write), uint.MaxValue - (uint)before, uint.MaxValue - 60 + (uint)before);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EachOperationReportedTwice(string name)
    {
        var rig = new Rig();
        foreach (var step in Find(name).Steps)
        {
            var direction = step.Kind == '<' ? SocketDirection.Receive : SocketDirection.Send;
            if (step.Kind is '<' or '>')
            {
                var half = step.Data.Length / 2;
                rig.Wire.Data(direction, step.Data.AsSpan(0, half));
                rig.Wire.Again(direction, half, step.Data.AsSpan(0, half));
                rig.Wire.Again(direction, half, step.Data);
            }
            else
            {
                Apply(step, rig.Wire);
            }
        }

        rig.Wire.Close();
        Assert.Equal(Find(name).Spans, rig.Log.Lines);
        rig.AssertSettled();
    }

    [Theory]
    [MemberData(nameof(LargeNames))]
    public void Large(string name)
    {
        var exchange = HttpCorpus.Large.Single(c => c.Name == name);
        foreach (var size in (int[])[1, 7, 1000, 8192])
        {
            Check(exchange, (_, data, write) => InPieces(data, size, write));
        }
    }

    internal static void Apply(Step step, Wire wire)
    {
        switch (step.Kind)
        {
            case '<':
                wire.Data(SocketDirection.Receive, step.Data);
                break;
            case '>':
                wire.Data(SocketDirection.Send, step.Data);
                break;
            case '!':
                wire.Shut(SocketDirection.Send);
                break;
            default:
                wire.Close();
                break;
        }
    }

    private static HttpCase Find(string name) => HttpCorpus.All.Single(c => c.Name == name);

    private static void InPieces(byte[] data, int size, Action<byte[]> write)
    {
        for (var i = 0; i < data.Length; i += size)
        {
            write(data[i..Math.Min(i + size, data.Length)]);
        }
    }

    private static void Check(HttpCase exchange, Action<int, byte[], Action<byte[]>> cut, uint receive = 1000, uint send = 5000)
    {
        var rig = new Rig();
        var wire = rig.Connect(9, receive, send);
        var before = 0;
        foreach (var step in exchange.Steps)
        {
            if (step.Data.Length == 0)
            {
                Apply(step, wire);
                continue;
            }

            cut(before, step.Data, piece => Apply(step with { Data = piece }, wire));
            before += step.Data.Length;
        }

        wire.Close();
        Assert.Equal(exchange.Spans, rig.Log.Lines);
        rig.AssertSettled();
    }
}

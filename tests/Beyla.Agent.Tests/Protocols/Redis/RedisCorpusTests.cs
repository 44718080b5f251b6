namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>What real clients did gives its spans, on either side, however it is cut into operations.</summary>
public class RedisCorpusTests
{
    public static TheoryData<string> Names => [.. RedisCase.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Whole(string name)
    {
        Check(RedisCase.Find(name), true, static (rig, _, from, data) => rig.Write(from, data));
        Check(RedisCase.Find(name), false, static (rig, _, from, data) => rig.Write(from, data));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ByteByByte(string name) => Check(RedisCase.Find(name), false, static (rig, _, from, data) =>
    {
        for (var i = 0; i < data.Length; i++)
        {
            rig.Write(from, data.AsSpan(i, 1));
        }
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void CutAtEachIndex(string name)
    {
        var recording = RedisCase.Find(name);
        var total = recording.Steps.Sum(s => s.Data.Length);
        // Each index of the small ones; of the others one that has no common factor with what is in them.
        for (var cut = 1; cut < total; cut += total > 4000 ? 7 : 1)
        {
            var at = cut;
            Check(recording, true, (rig, before, from, data) =>
            {
                var index = at - before;
                if (index > 0 && index < data.Length)
                {
                    rig.Write(from, data.AsSpan(0, index));
                    rig.Write(from, data.AsSpan(index));
                }
                else
                {
                    rig.Write(from, data);
                }
            });
        }
    }

    /// <summary>Of long strings only the first 64 bytes are captured: the kernel side walks over the elements.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void LongStringsUnseen(string name) => Check(RedisCase.Find(name), true, static (rig, _, from, data) =>
    {
        var stretches = new List<(int Gap, int Length, bool Aligned)>();
        int told = 0, begin = 0;
        foreach (var (start, length) in LongStrings(data))
        {
            stretches.Add((begin - told, start + 64 - begin, true));
            told = start + 64;
            begin = Math.Min(start + length + 2, data.Length);
        }

        if (begin < data.Length)
        {
            stretches.Add((begin - told, data.Length - begin, true));
        }

        rig.Wire.Pieces(rig.Direction(from), data, [.. stretches]);
    });

    private static IEnumerable<(int Start, int Length)> LongStrings(byte[] data)
    {
        for (var i = 0; i < data.Length; i++)
        {
            var end = data.AsSpan(i).IndexOf("\r\n"u8);
            if (data[i] == '$' && end > 3 && int.TryParse(data.AsSpan(i + 1, end - 1), out var length) && i + end + 66 < data.Length)
            {
                yield return (i + end + 2, length);
                i += end + 2 + length + 1;
            }
        }
    }

    private static void Check(RedisCase recording, bool isServer, Action<RedisRig, int, char, byte[]> write)
    {
        var rig = new RedisRig(isServer: isServer);
        var before = 0;
        foreach (var step in recording.Steps)
        {
            write(rig, before, step.From, step.Data);
            before += step.Data.Length;
        }

        Assert.Equal(recording.Spans, rig.Log.Lines);
        Assert.Equal(isServer ? SpanKind.Server : SpanKind.Client, rig.Log.Kind);
        rig.Close();
        Assert.Equal(0, rig.Redis.Count().Lost);
        Assert.Null(rig.Redis.CountUnseen());
    }
}

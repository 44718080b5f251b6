using System.Runtime.InteropServices;
using Beyla.Agent.Keeper;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>What a worker that somebody has taken over may send: anything.</summary>
/// <param name="seed">The same one, the same questions.</param>
/// <param name="pids">Processes that are there.</param>
internal sealed class Questions(int seed, int[] pids)
{
    private static readonly long[] Edges =
        [0, 1, -1, 2, 8, 512, 513, 4096, 4194303, 4194304, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue];

    private static readonly string[] Texts =
    [
        "/", "/a", "/a/../b", "/..", "..", "", "/../../etc", "/a/..b", "/a/b..", "/./.", "//", "/a\0/../b", "/etc/passwd",
        "/proc/1/environ", "a", "/a/…/\U0001F600",
    ];

    private readonly Random random = new(seed);
    private readonly byte[] buffer = new byte[5000];

    /// <summary>The next one; valid until the one after.</summary>
    public ReadOnlySpan<byte> Next() => random.Next(8) switch
    {
        0 => Noise(),
        1 => Mutated(),
        _ => Typed(),
    };

    /// <summary>Any bytes of this length, which begin like a question of that length where there is room for one.</summary>
    public ReadOnlySpan<byte> OfLength(int length)
    {
        var bytes = buffer.AsSpan(0, length);
        random.NextBytes(bytes);
        if (length >= 32)
        {
            Write(Request((uint)(length - 32)));
        }

        return bytes;
    }

    private ReadOnlySpan<byte> Noise()
    {
        var bytes = buffer.AsSpan(0, random.Next(8) == 0 ? random.Next(4200) : random.Next(64));
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A question whose values are of any kind, and which says truly how long it is.</summary>
    private ReadOnlySpan<byte> Typed()
    {
        var text = buffer.AsSpan(32);
        var length = 0;
        switch (random.Next(6))
        {
            case 0:
                length = System.Text.Encoding.UTF8.GetBytes(Texts[random.Next(Texts.Length)], text);
                break;
            case 1:
                length = random.Next(80);
                random.NextBytes(text[..length]);
                break;
            case 2:
                // Of the letters that paths are made of.
                length = random.Next(12);
                random.GetItems("/.a\0\u00ff"u8, text[..length]);
                break;
            case 3:
                length = random.Next(100) == 0 ? KeeperRequest.MaximumText : 32;
                random.NextBytes(text[..length]);
                text[0] = (byte)'/';
                break;
            default:
                break;
        }

        Write(Request((uint)length));
        return buffer.AsSpan(0, 32 + length);
    }

    /// <summary>The same with some bits turned, and cut or longer than it says.</summary>
    private ReadOnlySpan<byte> Mutated()
    {
        var question = buffer.AsSpan(0, Typed().Length);
        for (var i = random.Next(3); i >= 0; i--)
        {
            question[random.Next(question.Length)] ^= (byte)(1 << random.Next(8));
        }

        return buffer.AsSpan(0, random.Next(2) == 0 ? question.Length : random.Next(question.Length + 4));
    }

    private KeeperRequest Request(uint length) => new()
    {
        Operation = (KeeperOperation)(random.Next(16) == 0 ? (uint)random.Next() : (uint)random.Next(36)), Pid = Pid(),
        First = Number(), Second = random.Next(2) == 0 ? 0 : Number(), Number = (int)Number(), Length = length,
    };

    private int Pid() => random.Next(10) switch
    {
        0 => pids[random.Next(pids.Length)],
        1 => Environment.ProcessId,
        2 => random.Next(),
        3 => (int)Edges[random.Next(Edges.Length)],
        _ => 4194303, // nobody's: kernel.pid_max is one more at most
    };

    private long Number() => random.Next(4) switch
    {
        0 => Edges[random.Next(Edges.Length)],
        1 => random.NextInt64(long.MinValue, long.MaxValue),
        _ => random.Next(4),
    };

    private void Write(KeeperRequest request) => MemoryMarshal.Write(buffer, in request);
}

using Beyla.Agent.Protocols.Postgres;
using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>A million mutated operations: no exception, no growth, and every count agrees.</summary>
public class PostgresFuzzTests
{
    private const int Mutations = 1_000_000;

    private static readonly byte[][] Fragments =
    [
        Sync, Ready(), Ready('E'), Error("22012"), Error("57P01", "FATAL"), Notice, Complete("SELECT 3"), Complete("DISCARD ALL"),
        Complete("DEALLOCATE"), ParseComplete, Suspended, Query("deallocate all"), Query("deallocate a"), Query("select 'x"),
        Parse("a", "select a"), Bind("a", "a"), Execute("a"), CloseStatement("a"), Message('G', [0, 0, 0]), Message('W', [0, 0, 0]),
        Message('S', "client_encoding\0SJIS\0"u8.ToArray()), Message('S', "standard_conforming_strings\0off\0"u8.ToArray()),
        Message('c', []), Message('F', new byte[12]), [0xff, 0xff, 0xff, 0xff], [0],
    ];

    [Fact]
    public void MutatedOperations()
    {
        var corpus = PostgresCase.Small.ToArray();
        var random = new Random(20261127);
        var options = new PostgresOptions
        {
            MaxStatements = 8,
            Ledger = new() { RequestTimeout = TimeSpan.FromMilliseconds(0.001), MaxPipelined = 4 },
        };
        PostgresRig[] rigs = [new(true, options) { OnlyCounts = true }, new(false, options) { OnlyCounts = true }];
        var buffer = new byte[16384];
        for (var mutations = 0; mutations < Mutations;)
        {
            var rig = rigs[random.Next(2)];
            rig.IsFresh = random.Next(8) != 0;
            rig.Capture = random.Next(4) == 0 ? (random.Next(400), random.Next(300), random.Next(128)) : (8191, 4096, 128);
            rig.Unwalked = random.Next(3) == 0 ? (uint)random.Next(400) : 0;
            var steps = corpus[random.Next(corpus.Length)].Steps;

            // The start-up of a connection is mostly left as it is, or nothing of what follows would be read.
            var start = random.Next(4) == 0 ? 0 : 8;
            for (var i = 0; i < steps.Length; i++)
            {
                var length = steps[i].Data.Length;
                steps[i].Data.CopyTo(buffer, 0);
                for (var times = i < start ? 0 : random.Next(3); times > 0; times--, mutations++)
                {
                    length = Mutate(buffer, length, random);
                }

                var step = random.Next(200) == 0 ? steps[i] with { From = steps[i].From == '<' ? '>' : '<' } : steps[i];
                if (i >= start && random.Next(60) == 0)
                {
                    rig.Miss(step.From == '>', random.Next(2) == 0 ? length : random.Next());
                    continue;
                }

                var cut = random.Next(4) == 0 ? random.Next(length + 1) : 0;
                rig.Play(step, buffer.AsSpan(0, cut));
                rig.Play(step, buffer.AsSpan(cut, length - cut));
                rig.Tick(rig.Time);
                if (random.Next(50) == 0)
                {
                    rig.Shorten();
                }
            }

            switch (random.Next(16))
            {
                case 0:
                    rig.Stale();
                    break;
                case 1:
                    rig.Evict();
                    break;
                default:
                    rig.Close();
                    break;
            }

            Assert.Equal(0, rig.Buffers.Outstanding);
        }

        Assert.All(rigs, rig => rig.AssertSettled());
        Assert.All(rigs, rig => Assert.InRange(rig.Count, 50_000, 2_000_000));
    }

    private static int Mutate(byte[] buffer, int length, Random random)
    {
        var at = random.Next(Math.Max(1, length));
        switch (random.Next(5))
        {
            case 0:
                buffer[at] = (byte)random.Next(256);
                return Math.Max(length, 1);
            case 1:
                buffer[at] ^= (byte)(1 << random.Next(8));
                return Math.Max(length, 1);
            case 2 when length > 1:
                buffer.AsSpan(at + 1, length - at - 1).CopyTo(buffer.AsSpan(at));
                return length - 1;
            case 3:
                var fragment = Fragments[random.Next(Fragments.Length)];
                if (length + fragment.Length > buffer.Length)
                {
                    return length;
                }

                // Between messages more often than within one.
                at = random.Next(3) == 0 ? at : random.Next(2) == 0 ? 0 : length;
                buffer.AsSpan(at, length - at).CopyTo(buffer.AsSpan(at + fragment.Length));
                fragment.CopyTo(buffer, at);
                return length + fragment.Length;
            default:
                return Math.Max(1, at);
        }
    }
}

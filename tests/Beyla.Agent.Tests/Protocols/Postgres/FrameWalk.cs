using System.Buffers.Binary;
using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>
/// What the kernel side captures of one direction (bpf/include/frames.h with bpf/protocols/postgres.h): frames are walked over operations,
/// rows and data of COPY are left out, and of others the first bytes are kept. A stretch that begins with a frame says so.
/// </summary>
internal sealed class FrameWalk
{
    private readonly List<byte> part = [];
    private long left;
    private int keep;

    /// <summary>Writes an operation with the stretches that are captured of it.</summary>
    public void Write(Wire wire, SocketDirection direction, byte[] data)
    {
        List<(int From, int Until, bool Aligned)> runs = [];
        for (var at = 0; at < data.Length;)
        {
            var starts = false;
            if (left == 0)
            {
                var cut = part.Count;
                byte[] header = [.. part, .. data.AsSpan(at, Math.Min(16, data.Length - at))];
                if (header.Length < 5 + (header[0] == 'D' ? 1 : 0))
                {
                    // The next operation brings the rest; what there is of it is kept.
                    part.AddRange(data.AsSpan(at));
                    Keep(runs, at, data.Length, cut == 0);
                    break;
                }

                part.Clear();
                if (BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(header[0] == 0 ? 0 : 1)) > 0x3fffffff)
                {
                    // No frame, as behind the response to SSLRequest: the rest is not captured, and the next operation begins anew.
                    left = 0;
                    break;
                }

                left = (header[0] == 0 ? 0 : 1) + BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(header[0] == 0 ? 0 : 1)) - cut;
                keep = Math.Max(0, (int)Math.Min(Kept(header), left + cut) - cut);
                starts = cut == 0;
            }

            var taken = (int)Math.Min(left, data.Length - at);
            var kept = Math.Min(keep, taken);
            Keep(runs, at, at + kept, starts);
            at += taken;
            left -= taken;
            keep -= kept;
        }

        (int Gap, int Length, bool Aligned)[] stretches = new (int, int, bool)[runs.Count + (runs is [(0, _, _), ..] ? 0 : 1)];
        var last = 0;
        for (var i = 0; i < runs.Count; i++)
        {
            stretches[^(runs.Count - i)] = (runs[i].From - last, runs[i].Until - runs[i].From, runs[i].Aligned);
            last = runs[i].Until;
        }

        wire.Pieces(direction, data, stretches);
    }

    private static int Kept(byte[] header) => (char)header[0] switch
    {
        '\0' => 512,
        'Q' or 'P' => 4096,
        'd' => 0,
        'D' => header[5] is (byte)'S' or (byte)'P' ? 256 : 0,
        'p' => 5,
        _ => 256,
    };

    private static void Keep(List<(int From, int Until, bool Aligned)> runs, int from, int until, bool starts)
    {
        if (from == until)
        {
            return;
        }

        if (runs.Count > 0 && runs[^1].Until == from)
        {
            runs[^1] = runs[^1] with { Until = until };
        }
        else
        {
            runs.Add((from, until, starts));
        }
    }
}

using Beyla.Agent.Kernel;

namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>
/// Where the versions of Go keep what is looked at, on 64-bit machines, by the order of the fields in runtime/runtime2.go (struct g) and
/// net/http/transport.go (persistConn). 1.21 added parentGoid, 1.23 put syscallbp before goid, 1.25 took a field from gobuf, 1.26 put one
/// more before parentGoid. A bufio.Writer (bufio/bufio.go) is err, buf, n and wr in all of them. A version that is not here is not looked
/// at: nothing is guessed.
/// </summary>
internal static class GoLayouts
{
    /// <summary>The struct g is at this distance from the thread pointer where Go's own linker has laid out the program.</summary>
    internal const int OwnSlot = -8;

    /// <summary>From Go 1.17 on arguments are in registers on x86-64 (Go's abi-internal.md).</summary>
    private static readonly (int First, int Last, uint Goid, uint Parent)[] Rows =
    [
        (17, 20, 152, 0),
        (21, 22, 152, 272),
        (23, 24, 160, 280),
        (25, 25, 152, 272),
        (26, 26, 152, 280),
    ];

    /// <summary>alt (16 bytes), t (8), cacheKey (three strings and a bool), then conn.</summary>
    private const uint ConnectionOfPersistConn = 80;

    /// <summary>err, an interface value (16 bytes), then buf.</summary>
    private const uint BufferOfWriter = 16;

    /// <summary>The offsets of a version; false when it is not known.</summary>
    internal static bool TryFind(int minor, out GoOffsets offsets)
    {
        foreach (var (first, last, goid, parent) in Rows)
        {
            if (minor >= first && minor <= last)
            {
                offsets = new GoOffsets
                {
                    Slot = OwnSlot, Goid = goid, Parent = parent, Connection = ConnectionOfPersistConn, Buffer = BufferOfWriter,
                };
                return true;
            }
        }

        offsets = default;
        return false;
    }

    /// <summary>The versions that are known, for messages.</summary>
    internal static string Known => $"1.{Rows[0].First} to 1.{Rows[^1].Last}";
}

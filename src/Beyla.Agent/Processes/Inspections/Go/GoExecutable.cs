using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>What the file of a Go program tells of it. Immutable; the same for all processes that run the file.</summary>
public sealed record GoExecutable
{
    /// <summary>Which file it is.</summary>
    internal FileIdentity File { get; init; }

    /// <summary>The version of Go that built it, such as <c>go1.19.8</c>; empty where nothing tells it.</summary>
    public string Version { get; init; } = "";

    /// <summary>Where it keeps what is looked at; null where that is not known.</summary>
    public GoOffsets? Offsets { get; init; }

    /// <summary>
    /// Where in the file net/http hands a request to a connection: the place of a probe. 0 where the program has none, or it is not known.
    /// </summary>
    public long RoundTrip { get; init; }

    /// <summary>
    /// Where in the file net/http has collected the head of a request and goes on with its body: the place of a probe. 0 where the program
    /// has none, where it is not known, or where it was not asked for.
    /// </summary>
    public long WriteBody { get; init; }

    /// <summary>What is not known and why, for the log; null when all is well.</summary>
    public string? Trouble { get; init; }

    /// <summary>Reads an open file. For a thread aside.</summary>
    /// <param name="file">Its descriptor.</param>
    /// <param name="identity">Which file it is.</param>
    /// <param name="budget">What may still be read of the process that runs it.</param>
    /// <param name="withWriteBody">Whether <see cref="WriteBody"/> is asked for.</param>
    internal static GoExecutable Read(int file, FileIdentity identity, InspectionBudget budget, bool withWriteBody = false)
    {
        var empty = new GoExecutable { File = identity };
        var elf = GoElf.Read(file, budget);
        if (elf is null || !elf.IsX64)
        {
            return empty with { Trouble = "the executable is not one for x86-64, or damaged" };
        }

        var version = GoVersion.Read(file, elf.BuildInformation, budget);
        if (version is null)
        {
            return empty with { Trouble = "the executable does not say which version of Go built it (1.18 and later do)" };
        }

        var known = empty with { Version = version };
        if (!GoLayouts.TryFind(GoVersion.Minor(version), out var offsets))
        {
            return known with { Trouble = $"where this version of Go keeps its goroutines is not known ({GoLayouts.Known} are)" };
        }

        var functions = GoFunctions.Open(file, elf, budget);
        if (SlotOf(file, elf, functions, budget) is not (< 0 and var slot))
        {
            return known with { Trouble = "where the program keeps its thread-local storage is not known" };
        }

        offsets.Slot = slot;
        known = known with { Offsets = offsets };
        if (functions is null)
        {
            return known with { Trouble = "the executable has no table of functions of a known form" };
        }

        var (address, body) = functions.Find(
            "\0net/http.(*persistConn).roundTrip\0"u8, withWriteBody ? "\0net/http.(*transferWriter).writeBody\0"u8 : default);
        if (address < 0)
        {
            // Most programs without it do not call over HTTP.
            return known;
        }

        var place = PlaceOfProbe(file, elf.OffsetOfCode(address), budget);
        if (place <= 0)
        {
            return known with { Trouble = "net/http.(*persistConn).roundTrip is not code as Go makes it" };
        }

        return known with { RoundTrip = place, WriteBody = body < 0 ? 0 : PlaceOfProbe(file, elf.OffsetOfCode(body), budget) };
    }

    /// <summary>
    /// Go's own linker gives the program 8 bytes of thread-local storage, or none that the file tells of. With more (C in the program) the
    /// code says which of them.
    /// </summary>
    private static int SlotOf(int file, GoElf elf, GoFunctions? functions, InspectionBudget budget)
    {
        if (elf.ThreadLocal is 0 or -GoLayouts.OwnSlot)
        {
            return GoLayouts.OwnSlot;
        }

        Span<byte> code = stackalloc byte[GoCode.Size];
        var address = functions?.Find("\0runtime.morestack\0"u8) ?? -1;
        var offset = address < 0 ? -1 : elf.OffsetOfCode(address);
        return offset > 0 && budget.TrySpend(code.Length) && ProcCalls.ReadAt(file, code, offset) == code.Length ? GoCode.SlotOf(code) : 0;
    }

    private static long PlaceOfProbe(int file, long offset, InspectionBudget budget)
    {
        Span<byte> code = stackalloc byte[GoCode.Size];
        if (offset <= 0 || !budget.TrySpend(code.Length) || ProcCalls.ReadAt(file, code, offset) != code.Length)
        {
            return 0;
        }

        var jump = GoCode.JumpOfStackCheck(code);
        return jump < 0 ? 0 : offset + jump;
    }
}

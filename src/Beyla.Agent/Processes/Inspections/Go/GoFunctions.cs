using System.Buffers.Binary;

namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>
/// Finds functions of a Go program by name in its .gopclntab, which is there in stripped programs too. Format: Go's runtime/symtab.go
/// (pcHeader, functab, _func) of Go 1.18 to 1.19 and of Go 1.20 and later.
/// </summary>
internal sealed class GoFunctions
{
    private const uint Since118 = 0xfffffff0, Since120 = 0xfffffff1;
    private const int HeaderSize = 72, EntrySize = 8, MaximumFunctions = 4 * 1024 * 1024, TextOfModule = 176;

    private readonly int file;
    private readonly GoElf elf;
    private readonly InspectionBudget budget;
    private readonly long text, names, namesEnd, table, count;

    private GoFunctions(int file, GoElf elf, InspectionBudget budget, ReadOnlySpan<byte> header)
    {
        (this.file, this.elf, this.budget) = (file, elf, budget);
        count = Number(header, 8);
        (text, names, namesEnd, table) = (Number(header, 24), Number(header, 32), Number(header, 40), Number(header, 64));
        if (text == 0)
        {
            text = TextStart();
        }
    }

    /// <summary>Takes the table of a file; null where it has none of a known form.</summary>
    internal static GoFunctions? Open(int file, GoElf elf, InspectionBudget budget)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (elf.Functions.Size < HeaderSize || !budget.TrySpend(HeaderSize)
            || ProcCalls.ReadAt(file, header, elf.Functions.Offset) != HeaderSize)
        {
            return null;
        }

        // Behind the magic number: two zeros, the unit of code addresses (1 on x86-64), the size of a pointer.
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (magic is not (Since118 or Since120) || header[4] != 0 || header[5] != 0 || header[6] != 1 || header[7] != 8)
        {
            return null;
        }

        var functions = new GoFunctions(file, elf, budget, header);
        return functions.IsPlausible ? functions : null;
    }

    /// <summary>The address of a function in the file's own numbers; -1 where there is none of that name.</summary>
    /// <param name="name">Its full name between two zeros: <c>\0net/http.(*persistConn).roundTrip\0</c>.</param>
    internal long Find(ReadOnlySpan<byte> name) => Find(name, default).First;

    /// <summary>The same of two functions, for which the table is gone through once.</summary>
    /// <param name="first">A name between two zeros.</param>
    /// <param name="second">Another one, or nothing.</param>
    internal (long First, long Second) Find(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        long one, other;
        using (var all = Window(names, namesEnd - names))
        {
            one = all.Find(first) + 1;
            other = one <= 0 || second.IsEmpty ? 0 : all.Find(second) + 1;
        }

        return one > 0 ? FindByName(one, other) : (-1, -1);
    }

    private bool IsPlausible =>
        count is > 0 and <= MaximumFunctions && text > 0 && names >= HeaderSize && namesEnd > names && namesEnd <= elf.Functions.Size
        && table >= HeaderSize && table <= elf.Functions.Size - (count * EntrySize);

    /// <summary>Both the table and what it points to lie in the order of addresses: two windows go over the file once.</summary>
    private (long One, long Other) FindByName(long one, long other)
    {
        var (left, found, second) = (other > 0 ? 2 : 1, -1L, -1L);
        using var entries = Window(table, count * EntrySize);
        using var functions = Window(table, elf.Functions.Size - table);
        for (long i = 0; i < count && left > 0; i++)
        {
            if (!entries.TryGet(i * EntrySize, EntrySize, out var entry))
            {
                break;
            }

            var (code, place) = (BinaryPrimitives.ReadUInt32LittleEndian(entry), BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]));
            if (!functions.TryGet(place, EntrySize, out var function))
            {
                break;
            }

            var name = BinaryPrimitives.ReadUInt32LittleEndian(function[4..]);
            if (name != one && (name != other || other <= 0))
            {
                continue;
            }

            left--;
            var address = BinaryPrimitives.ReadUInt32LittleEndian(function) == code ? text + code : -1;
            (found, second) = name == one ? (address, second) : (found, address);
        }

        return (found, second);
    }

    /// <summary>
    /// Where the code of Go begins, for a table that leaves it to the loader (Go 1.26): struct moduledata has it behind its slices.
    /// </summary>
    private long TextStart()
    {
        Span<byte> bytes = stackalloc byte[8];
        if (elf.Module.Size >= TextOfModule + 8 && budget.TrySpend(8)
            && ProcCalls.ReadAt(file, bytes, elf.Module.Offset + TextOfModule) == 8 && Number(bytes, 0) is var start and > 0)
        {
            return start;
        }

        return elf.Text.Address;
    }

    private FileWindow Window(long offset, long length) => new(file, elf.Functions.Offset + offset, length, budget);

    private static long Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
